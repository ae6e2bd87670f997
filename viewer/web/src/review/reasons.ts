// Why an instance waits: the stable words of the node, as keys of the language files (review:reason.*).

const REASONS = [
  "text-left",
  "mostly-text",
  "pixels-not-read",
  "pixels-not-masked",
  "install",
  "burned-in-annotation",
  "ultrasound",
  "secondary-capture",
  "screen-capture",
  "photograph",
  "slide-label",
  "visual-features",
  "encapsulated-document",
  "pdf-text-left",
  "pdf-not-looked-at",
  "pdf",
] as const;

type Reason = (typeof REASONS)[number];

/** The key of a reason, which may have a detail behind its first word; what is not known is `pdf`, of a PDF, or `other`. */
export function reasonKey(reason: string): Reason | "other" {
  const word = reason.split(" ", 1)[0];
  return REASONS.find((known) => known === word) ?? (word?.startsWith("pdf-") ? "pdf" : "other");
}
