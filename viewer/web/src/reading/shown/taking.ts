// From what is on the screen to a file in the reader's folder; its name tells nothing of a patient.

import { FILM_IMAGES_MAX } from "../../api/pictures";
import { film, filmFrom } from "../../engine/capture/filming";
import { encodingOf, FilmWriter, filmSize } from "../../engine/capture/filmWriter";
import { type Caption, captioned, shotOf } from "../../engine/capture/shot";
import type { StackView } from "../../engine/stack/stackView";
import { formatNumber } from "../../ui/format";
import type { Language } from "../../ui/preferences";
import type { Subject } from "./subject";

/** This browser makes no films. */
export class NoEncoder extends Error {}

export interface Shooting {
  readonly subject: Subject;
  readonly marks: boolean;
  /** Of the image that is on the screen. */
  readonly caption: () => Caption;
}

async function shoot({ subject, marks, caption }: Shooting): Promise<HTMLCanvasElement> {
  return captioned(await shotOf(subject.element, subject.stage, marks), caption());
}

function save(content: Blob, name: string): void {
  const address = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  // The browser has taken it once the click is through; a little later is soon enough.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

export async function takePicture(shooting: Shooting): Promise<void> {
  const picture = await shoot(shooting);
  const content = await new Promise<Blob | null>((resolve) => picture.toBlob(resolve, "image/png"));
  if (!content) throw new Error("the browser made no picture");
  save(content, `${shooting.subject.name()}.png`);
}

export interface FilmOrder {
  readonly view: StackView;
  readonly rate: number;
  readonly images: number;
  readonly onProgress: (taken: number) => void;
  readonly signal: AbortSignal;
}

/** Throws NoEncoder, ImageNotThere, the signal's reason, or what the encoder throws. */
export async function takeFilm(shooting: Shooting, order: FilmOrder): Promise<void> {
  const { view, rate, images, onProgress, signal } = order;
  const { wanted, count } = view.stack.get();
  const config = await encodingOf(filmSize(await shoot(shooting)), rate);
  if (!config) throw new NoEncoder();
  const content = await film({
    view,
    first: filmFrom(count, wanted, FILM_IMAGES_MAX),
    count: images,
    writer: new FilmWriter(config, rate),
    shoot: () => shoot(shooting),
    onProgress,
    signal,
  });
  save(new Blob([content as BlobPart], { type: "video/mp4" }), `${shooting.subject.name()}.mp4`);
}

/** How long a film of a stack is. */
export function filmSeconds(count: number, rate: number, language: Language): string {
  return formatNumber(Math.min(count, FILM_IMAGES_MAX) / rate, language, 1);
}
