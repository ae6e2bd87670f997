// The masks over a frame, in its own pixels: a drag on the ground draws one, on a mask moves it, on a corner sizes it.

import { type Dispatch, type KeyboardEvent, type PointerEvent, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Box } from "../api/types";
import { useMeant } from "../ui/keyScope";
import {
  boxBetween,
  type Change,
  CORNERS,
  type Corner,
  type Mask,
  type Masks,
  moved,
  type Part,
  type Place,
  placeOfCorner,
  type Size,
  withCorner,
} from "./boxes";
import styles from "./Picture.module.css";

/** An arrow key goes so far: a hundredth of the longer side. */
const STEPS = 100;
const UPPER_LEFT: Corner = 0;
const LOWER_RIGHT: Corner = 3;
const ARROWS: Readonly<Record<string, readonly [rows: number, columns: number]>> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};

export interface MaskLayerProps {
  readonly masks: Masks;
  /** Of what masks are drawn on, as a whole. */
  readonly size: Size;
  /** What of it is on the screen. */
  readonly part: Part;
  readonly label: string;
  readonly change: Dispatch<Change>;
}

interface Drag {
  readonly from: Place;
  readonly to: Place;
  /** The mask that is moved or sized; none: one is drawn. */
  readonly mask: Mask | undefined;
  /** The corner that is drawn; none: the mask is moved. */
  readonly corner: Corner | undefined;
}

export function MaskLayer({ masks, size, part, label, change }: MaskLayerProps) {
  const [drag, setDrag] = useState<Drag>();
  const draft = drag && !drag.mask ? boxBetween(drag.from, drag.to, size) : undefined;

  const begin = (event: PointerEvent<SVGSVGElement>) => {
    if (event.button !== 0) return;
    const target = event.target instanceof Element ? event.target : undefined;
    const id = target?.getAttribute("data-mask") ?? undefined;
    const mask = id === undefined ? undefined : masks.list.find((one) => String(one.id) === id);
    const corner = CORNERS.find((one) => String(one) === target?.getAttribute("data-corner"));
    const from = placeOf(event, part);
    event.currentTarget.setPointerCapture(event.pointerId);
    setDrag({ from, to: from, mask, corner });
    change({ kind: "choose", id: mask?.id });
  };
  const go = (event: PointerEvent<SVGSVGElement>) => {
    if (!drag) return;
    const to = placeOf(event, part);
    setDrag({ ...drag, to });
    if (drag.mask) change({ kind: "put", id: drag.mask.id, box: dragged(drag.mask.box, drag, to, size) });
  };
  const end = () => {
    if (draft) change({ kind: "add", box: draft });
    setDrag(undefined);
  };

  return (
    <svg
      className={styles["layer"]}
      viewBox={`0 ${part.top} ${part.columns} ${part.rows}`}
      preserveAspectRatio="none"
      role="group"
      aria-label={label}
      tabIndex={-1}
      onPointerDown={begin}
      onPointerMove={go}
      onPointerUp={end}
      onPointerCancel={() => setDrag(undefined)}
    >
      {masks.list.map((mask, index) => (
        <MaskBox
          key={mask.id}
          mask={mask}
          number={index + 1}
          isChosen={mask.id === masks.chosen}
          size={size}
          part={part}
          change={change}
        />
      ))}
      {masks.list.map((mask) => (mask.id === masks.chosen ? <Handles key={mask.id} mask={mask} size={part} /> : null))}
      {draft ? <rect className={styles["draft"]} {...shapeOf(draft)} /> : null}
    </svg>
  );
}

interface MaskBoxProps {
  readonly mask: Mask;
  readonly number: number;
  readonly isChosen: boolean;
  readonly size: Size;
  readonly part: Part;
  readonly change: Dispatch<Change>;
}

function MaskBox({ mask, number, isChosen, size, part, change }: MaskBoxProps) {
  const { t } = useTranslation("review");
  const ref = useRef<SVGRectElement>(null);
  const meant = useMeant();
  const { id, box } = mask;

  // Whoever added it by key goes on with it by key; what is typed in the list of masks keeps the focus there.
  useEffect(() => {
    const focused = document.activeElement;
    if (isChosen && !(focused instanceof HTMLInputElement)) ref.current?.focus({ preventScroll: true });
  }, [isChosen]);

  const onKeyDown = (event: KeyboardEvent) => {
    const [, held, key = ""] = /^(Shift\+|Ctrl\+)?(.+)$/.exec(meant(event)) ?? [];
    const arrow = ARROWS[key];
    const isGone = key === "Delete" || key === "Backspace";
    if (!arrow && !isGone) return;
    event.preventDefault();
    event.stopPropagation();
    if (!arrow) {
      ref.current?.ownerSVGElement?.focus({ preventScroll: true });
      change({ kind: "remove", id });
      return;
    }
    const step = Math.max(1, Math.round(Math.max(part.rows, part.columns) / STEPS));
    const [rows, columns] = [arrow[0] * step, arrow[1] * step];
    const corner: Corner | undefined = held === "Shift+" ? LOWER_RIGHT : held === "Ctrl+" ? UPPER_LEFT : undefined;
    const after = corner === undefined ? moved(box, rows, columns, size) : withCorner(box, corner, rows, columns, size);
    change({ kind: "put", id, box: after });
  };

  return (
    <rect
      ref={ref}
      className={styles["mask"]}
      {...shapeOf(box)}
      data-mask={id}
      data-chosen={isChosen}
      role="button"
      tabIndex={0}
      aria-pressed={isChosen}
      aria-label={`${t("mask", { number })}: ${box.join(", ")}`}
      onFocus={() => isChosen || change({ kind: "choose", id })}
      onKeyDown={onKeyDown}
    />
  );
}

function shapeOf([top, left, bottom, right]: Box) {
  return { x: left, y: top, width: right - left, height: bottom - top };
}

/** Corners that a finger can take: of a size of its own on the screen, as far as the frame's pixels tell. */
function Handles({ mask, size }: { readonly mask: Mask; readonly size: Size }) {
  const isFinger = window.matchMedia?.("(pointer: coarse)").matches ?? false;
  const radius = Math.max(size.rows, size.columns) / (isFinger ? 60 : 110);
  return CORNERS.map((corner) => {
    const { row, column } = placeOfCorner(mask.box, corner);
    return (
      <g key={corner}>
        <circle className={styles["handle"]} cx={column} cy={row} r={radius} />
        <circle
          className={styles["grip"]}
          cx={column}
          cy={row}
          r={isFinger ? 2.2 * radius : 1.4 * radius}
          data-mask={mask.id}
          data-corner={corner}
        />
      </g>
    );
  });
}

function dragged(box: Box, { from, corner }: Drag, to: Place, size: Size): Box {
  const [rows, columns] = [Math.round(to.row - from.row), Math.round(to.column - from.column)];
  return corner === undefined ? moved(box, rows, columns, size) : withCorner(box, corner, rows, columns, size);
}

/** Where on the frame a pointer is, in the frame's pixels. */
function placeOf(event: PointerEvent<SVGSVGElement>, { top, rows, columns }: Part): Place {
  const area = event.currentTarget.getBoundingClientRect();
  return {
    row: top + ((event.clientY - area.top) / (area.height || 1)) * rows,
    column: ((event.clientX - area.left) / (area.width || 1)) * columns,
  };
}
