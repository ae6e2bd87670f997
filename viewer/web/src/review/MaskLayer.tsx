// The masks over a frame, in its own pixels: a drag on the ground draws one, a drag on a mask moves it.

import { type Dispatch, type KeyboardEvent, type PointerEvent, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Box } from "../api/types";
import { boxBetween, type Change, type Mask, type Masks, moved, type Place, resized, type Size } from "./boxes";
import styles from "./Picture.module.css";

/** An arrow key goes so far: a hundredth of the longer side. */
const STEPS = 100;
const ARROWS: Readonly<Record<string, readonly [rows: number, columns: number]>> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};

export interface MaskLayerProps {
  readonly masks: Masks;
  readonly size: Size;
  readonly label: string;
  readonly change: Dispatch<Change>;
}

interface Drag {
  readonly from: Place;
  readonly to: Place;
  /** The mask that is moved; none: one is drawn. */
  readonly mask: Mask | undefined;
}

export function MaskLayer({ masks, size, label, change }: MaskLayerProps) {
  const [drag, setDrag] = useState<Drag>();
  const draft = drag && !drag.mask ? boxBetween(drag.from, drag.to, size) : undefined;

  const begin = (event: PointerEvent<SVGSVGElement>) => {
    if (event.button !== 0) return;
    const id = event.target instanceof Element ? event.target.getAttribute("data-mask") : null;
    const mask = id === null ? undefined : masks.list.find((one) => String(one.id) === id);
    const from = placeOf(event, size);
    event.currentTarget.setPointerCapture(event.pointerId);
    setDrag({ from, to: from, mask });
    change({ kind: "choose", id: mask?.id });
  };
  const go = (event: PointerEvent<SVGSVGElement>) => {
    if (!drag) return;
    const to = placeOf(event, size);
    setDrag({ ...drag, to });
    if (drag.mask) change({ kind: "put", id: drag.mask.id, box: carried(drag.mask.box, drag.from, to, size) });
  };
  const end = () => {
    if (draft) change({ kind: "add", box: draft });
    setDrag(undefined);
  };

  return (
    <svg
      className={styles["layer"]}
      viewBox={`0 0 ${size.columns} ${size.rows}`}
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
          change={change}
        />
      ))}
      {draft ? <rect className={styles["draft"]} {...shapeOf(draft)} /> : null}
    </svg>
  );
}

interface MaskBoxProps {
  readonly mask: Mask;
  readonly number: number;
  readonly isChosen: boolean;
  readonly size: Size;
  readonly change: Dispatch<Change>;
}

function MaskBox({ mask, number, isChosen, size, change }: MaskBoxProps) {
  const { t } = useTranslation("review");
  const ref = useRef<SVGRectElement>(null);
  const { id, box } = mask;

  // Whoever added it by key goes on with it by key; what is typed in the list of masks keeps the focus there.
  useEffect(() => {
    const focused = document.activeElement;
    if (isChosen && !(focused instanceof HTMLInputElement)) ref.current?.focus({ preventScroll: true });
  }, [isChosen]);

  const onKeyDown = (event: KeyboardEvent) => {
    const arrow = ARROWS[event.key];
    const isGone = event.key === "Delete" || event.key === "Backspace";
    if (!arrow && !isGone) return;
    event.preventDefault();
    event.stopPropagation();
    if (!arrow) {
      ref.current?.ownerSVGElement?.focus({ preventScroll: true });
      change({ kind: "remove", id });
      return;
    }
    const step = Math.max(1, Math.round(Math.max(size.rows, size.columns) / STEPS));
    const how = event.shiftKey ? resized : moved;
    change({ kind: "put", id, box: how(box, arrow[0] * step, arrow[1] * step, size) });
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

function carried(box: Box, from: Place, to: Place, size: Size): Box {
  return moved(box, Math.round(to.row - from.row), Math.round(to.column - from.column), size);
}

/** Where on the frame a pointer is, in the frame's pixels. */
function placeOf(event: PointerEvent<SVGSVGElement>, { rows, columns }: Size): Place {
  const area = event.currentTarget.getBoundingClientRect();
  return {
    row: ((event.clientY - area.top) / (area.height || 1)) * rows,
    column: ((event.clientX - area.left) / (area.width || 1)) * columns,
  };
}
