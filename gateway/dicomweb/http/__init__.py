"""HTTP as every route has it (PS3.18 8, RFC 9110): requests, answers, negotiation, ranges, codings, problems, multipart."""
