// Between a study's marks and the renderer's annotations: what is drawn goes into the book, what the book has is drawn
// as soon as its image is in the room.

import { eventTarget, getRenderingEngines, type Types } from "@cornerstonejs/core";
import { annotation, Enums, type Types as ToolTypes, utilities } from "@cornerstonejs/tools";
import type { Frame } from "../frames/frame";
import { normalOf, type Vector } from "../frames/geometry";
import { frameOf, framesKnown, isAlone } from "../loading/loader";
import { figuresOf, type MarkKind } from "../marks/keptFigures";
import { type BookMark, type MarkBook, withinBounds } from "../marks/markBook";
import { newUid } from "../slides/marks";
import { pointOf, samplesOf, worldOf } from "./stackPlaces";
import { KIND_OF_TOOL, TOOL_OF_KIND } from "./tools";

type Annotation = ToolTypes.Annotation;
const { Events } = Enums;
const PLAIN = { row: [1, 0, 0], column: [0, 1, 0] } as const;

export class MarkMirror {
  private readonly book: MarkBook;
  private readonly studyUrl: string;
  /** The mark of each annotation that is finished, by the renderer's name. */
  private readonly uids = new Map<string, string>();
  private readonly undo: (() => void)[] = [];
  private placing = false;

  /** `studyUrl`: the WADO-RS address of the study whose marks the book has. */
  constructor(book: MarkBook, studyUrl: string) {
    this.book = book;
    this.studyUrl = studyUrl;
    this.on(Events.ANNOTATION_COMPLETED, (one) => this.take(one));
    this.on(Events.ANNOTATION_MODIFIED, (one) => this.uids.has(nameOf(one)) && this.take(one));
    this.on(Events.ANNOTATION_REMOVED, (one) => this.drop(one));
    this.undo.push(
      book.list.subscribe(() => this.place()),
      framesKnown.subscribe(() => this.place()),
    );
    this.place();
  }

  /** Take the study's marks off the screen and hear of no more. */
  destroy(): void {
    for (const undo of this.undo) undo();
    for (const name of this.uids.keys()) annotation.state.removeAnnotation(name);
    this.uids.clear();
  }

  private on(event: string, listener: (one: Annotation) => void): void {
    const heard = (told: Event) => {
      if (!this.placing) listener((told as CustomEvent<{ annotation: Annotation }>).detail.annotation);
    };
    eventTarget.addEventListener(event, heard as EventListener);
    this.undo.push(() => eventTarget.removeEventListener(event, heard as EventListener));
  }

  private take(one: Annotation): void {
    const imageId = one.metadata?.referencedImageId ?? "";
    const kind = KIND_OF_TOOL[one.metadata?.toolName ?? ""];
    const frame = frameOf(imageId);
    const where = whereOf(imageId, this.studyUrl);
    if (!kind || !frame || !where) return;
    const places = withinBounds(placesOf(one, kind)).flatMap((place) => pointOf(imageId, place) ?? []);
    const uid = this.uids.get(nameOf(one)) ?? newUid();
    this.uids.set(nameOf(one), uid);
    this.book.put({
      uid,
      kind,
      ...where,
      frameNumber: isAlone(frame) ? null : frame.frameNumber,
      points: places.map(({ column, row }) => [column, row] as const),
      ...figuresOf(kind, places, frame, samplesOf(imageId, frame)),
      text: kind === "arrow" ? (one.data.label ?? "").trim() : "",
    });
  }

  private drop(one: Annotation): void {
    const uid = this.uids.get(nameOf(one));
    this.uids.delete(nameOf(one));
    if (uid) this.book.remove(uid);
  }

  /** Draw what is not drawn yet, and take away what the book has no more. */
  private place(): void {
    const marks = this.book.list.get();
    const [drawn, wanted] = [new Set(this.uids.values()), new Set(marks.map(({ uid }) => uid))];
    const missing = marks.filter((mark) => !drawn.has(mark.uid) && frameOf(this.imageIdOf(mark)));
    const gone = [...this.uids].filter(([, uid]) => !wanted.has(uid));
    if (missing.length + gone.length === 0) return;
    this.placing = true;
    for (const mark of missing) this.draw(mark);
    for (const [name] of gone) {
      this.uids.delete(name);
      annotation.state.removeAnnotation(name);
    }
    this.placing = false;
    const ids = (getRenderingEngines() ?? []).flatMap((engine) => engine.getViewports().map(({ id }) => id));
    utilities.triggerAnnotationRenderForViewportIds(ids);
  }

  private draw(mark: BookMark): void {
    const imageId = this.imageIdOf(mark);
    const frame = frameOf(imageId);
    const points = mark.points.flatMap(([column, row]) => {
      const world = worldOf(imageId, { column, row });
      return world ? [world] : [];
    });
    if (!frame || points.length < mark.points.length) return;
    this.uids.set(mark.uid, mark.uid);
    annotation.state.addAnnotation(drawnAs(mark, frame, points), undefined as unknown as HTMLDivElement);
  }

  private imageIdOf({ seriesInstanceUID, sopInstanceUID, frameNumber }: BookMark): string {
    const instance = `${this.studyUrl}/series/${seriesInstanceUID}/instances/${sopInstanceUID}`;
    return `vienanh:${instance}/frames/${frameNumber ?? 1}`;
  }
}

function nameOf(one: Annotation): string {
  return one.annotationUID ?? "";
}

function placesOf(one: Annotation, kind: MarkKind): readonly (readonly number[])[] {
  const data = one.data as { contour?: { polyline?: number[][] }; handles?: { points?: number[][] } };
  return (kind === "freehand" ? data.contour?.polyline : data.handles?.points) ?? [];
}

/** Which instance of the study an image is; undefined for another study's. */
function whereOf(imageId: string, studyUrl: string) {
  const prefix = `vienanh:${studyUrl}/series/`;
  if (!imageId.startsWith(prefix)) return undefined;
  const [seriesInstanceUID, , sopInstanceUID] = imageId.slice(prefix.length).split("/");
  return seriesInstanceUID && sopInstanceUID ? { seriesInstanceUID, sopInstanceUID } : undefined;
}

/** An annotation as the pinned renderer's tools make it themselves. */
function drawnAs(mark: BookMark, frame: Frame, places: readonly Types.Point3[]): Annotation {
  const orientation = frame.orientation ?? PLAIN;
  const away = ([x, y, z]: Vector): Types.Point3 => [-x, -y, -z];
  const points = places.map((place) => [...place] as Types.Point3);
  const origin: Types.Point3 = [0, 0, 0];
  const box = { topLeft: origin, topRight: origin, bottomLeft: origin, bottomRight: origin };
  const textBox = { hasMoved: false, worldPosition: origin, worldBoundingBox: box };
  const isOutline = mark.kind === "freehand";
  const made = {
    annotationUID: mark.uid,
    highlighted: false,
    invalidated: true,
    isLocked: false,
    isVisible: true,
    ...(isOutline ? { autoGenerated: false, interpolationUID: "" } : {}),
    metadata: {
      toolName: TOOL_OF_KIND[mark.kind],
      FrameOfReferenceUID: frame.frameOfReferenceUid ?? frame.sopInstanceUid,
      referencedImageId: frame.imageId,
      viewPlaneNormal: away(normalOf(orientation)),
      viewUp: away(orientation.column),
    },
    data: {
      label: mark.text,
      cachedStats: {},
      handles: { points: isOutline ? [] : points, activeHandleIndex: null, textBox },
      ...(isOutline ? { contour: { polyline: points, closed: true } } : {}),
    },
  };
  return made as unknown as Annotation;
}
