// Putting files in at this node: one body at a time, with progress, and a result for each file of it.

import { ask, csrfHeader } from "./client";

export interface UploadBody {
  readonly files: readonly File[];
  /** One file, which is a zip of instances; else each file is an instance. */
  readonly isZip: boolean;
}

export interface UploadResult {
  readonly part: number;
  readonly name?: string;
  readonly state: "stored" | "failed";
  readonly study?: string;
  readonly code?: string;
}

/** What became of a body: a result for each file, or why there is none. */
export interface Sent {
  readonly results: readonly UploadResult[];
  readonly problem: string | undefined;
}

/** An instance by what it is, byte for byte. */
export interface AskedInstance {
  readonly instance: string;
  readonly syntax: string;
  readonly sha256: string;
}

/** The study of each instance that is at this node already; of none of them when the node cannot be asked. */
export async function studiesOfKnown(instances: readonly AskedInstance[]): Promise<readonly (string | undefined)[]> {
  const answer = await ask<{ readonly results: readonly { readonly study?: string }[] }>(
    "POST",
    "/dicom-web/uploads/known",
    { body: { instances } },
  );
  return answer.ok ? answer.value.results.map((one) => one.study) : [];
}

/** Send a body. Never throws: `offline` is a passing loss of the line. */
export function sendFiles(body: UploadBody, onProgress: (bytes: number) => void): Promise<Sent> {
  return new Promise((done) => {
    const request = new XMLHttpRequest();
    const boundary = newBoundary();
    request.open("POST", "/dicom-web/uploads");
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader(
      "Content-Type",
      body.isZip ? "application/zip" : `multipart/related; type="application/dicom"; boundary=${boundary}`,
    );
    request.setRequestHeader(...csrfHeader());
    request.upload.onprogress = (event) => onProgress(event.loaded);
    request.onload = () => done(readSent(request.responseText));
    request.onerror = () => done({ results: [], problem: "offline" });
    request.onabort = request.onerror;
    request.send(body.isZip ? body.files[0] : multipart(body.files, boundary));
  });
}

/** Of random numbers, as files may hold anything; crypto.randomUUID does not exist over plain HTTP. */
function newBoundary(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join("-");
}

function multipart(files: readonly File[], boundary: string): Blob {
  const parts = files.flatMap((file) => [`--${boundary}\r\nContent-Type: application/dicom\r\n\r\n`, file, "\r\n"]);
  return new Blob([...parts, `--${boundary}--\r\n`]);
}

/** Read what the node answered to a body of files. */
export function readSent(text: string): Sent {
  try {
    const answer = JSON.parse(text) as { readonly results?: readonly UploadResult[]; readonly code?: string };
    return answer.results
      ? { results: answer.results, problem: undefined }
      : { results: [], problem: answer.code ?? "unexpected" };
  } catch {
    return { results: [], problem: "unexpected" };
  }
}
