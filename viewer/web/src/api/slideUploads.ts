// Sending a vendor's slide in pieces: the node says which byte is the next, so a line that breaks costs one piece.

import { ask, csrfHeader } from "./client";
import type { Result } from "./result";

const ADDRESS = "/dicom-web/uploads/slides";

/** What somebody says of a slide: whose it is comes from here alone. */
export interface SlideForm {
  readonly patient_id: string;
  readonly patient_name: string;
  readonly accession_number: string;
  /** What the glass is called; the file's name when empty. */
  readonly container: string;
  readonly stain: string;
}

/** A slide on its way in, as the node tells it (docs/operating.md). */
export interface SlideOnItsWay {
  readonly upload: string;
  readonly name: string;
  readonly bytes: number;
  /** The next byte. */
  readonly offset: number;
  readonly state: "receiving" | "waiting" | "decoding" | "storing" | "stored" | "failed";
  /** Tiles. */
  readonly done: number;
  readonly total: number;
  readonly study: string;
  readonly lossy: boolean;
  readonly code: string;
}

/** What is sent; `folder` has the files that stand behind the slide's own, in their order. */
export interface SlideBody {
  readonly name: string;
  readonly size: number;
  readonly folder: readonly { readonly name: string; readonly bytes: number }[];
}

export function beginSlide({ name, size, folder }: SlideBody, form: SlideForm): Promise<Result<SlideOnItsWay>> {
  return ask("POST", ADDRESS, { body: { name, bytes: size, folder, ...form } });
}

/** The caller's own, newest first. */
export function slidesOnTheirWay(): Promise<Result<readonly SlideOnItsWay[]>> {
  return ask("GET", ADDRESS);
}

export function slideOnItsWay(upload: string): Promise<Result<SlideOnItsWay>> {
  return ask("GET", `${ADDRESS}/${upload}`);
}

/** Have the node drop what it has of a slide; what it took in already stays. */
export function forgetSlide(upload: string): Promise<Result<void>> {
  return ask("DELETE", `${ADDRESS}/${upload}`);
}

/** Send bytes from `offset` on. Never throws: false when they did not all arrive, whatever the cause. */
export function sendPiece(
  upload: string,
  offset: number,
  piece: Blob,
  onProgress: (bytes: number) => void,
  signal: AbortSignal,
): Promise<boolean> {
  return new Promise((done) => {
    const request = new XMLHttpRequest();
    request.open("PATCH", `${ADDRESS}/${upload}`);
    request.setRequestHeader("Upload-Offset", String(offset));
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.setRequestHeader(...csrfHeader());
    request.upload.onprogress = (event) => onProgress(event.loaded);
    request.onload = () => done(request.status === 200);
    request.onerror = () => done(false);
    request.onabort = request.onerror;
    signal.addEventListener("abort", () => request.abort());
    request.send(piece);
  });
}
