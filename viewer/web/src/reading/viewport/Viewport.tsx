// The picture: the engine's element, its texts, its slider, and what is said while a slice is not there.

import { Loader } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import type { Series } from "../../api/types";
import type { Frame } from "../../engine/frames/frame";
import { type Preset, presetsOf } from "../../engine/frames/presets";
import type { Stack } from "../../engine/frames/stacks";
import { frameStates, isProblem, stateOf } from "../../engine/loading/frameStates";
import { WHOLE } from "../../engine/loading/tiers";
import type { StackView } from "../../engine/stack/stackView";
import { useStore } from "../useStore";
import { ArrowText } from "./ArrowText";
import { EngineFailed } from "./EngineFailed";
import { Overlays } from "./Overlays";
import { SliceBar } from "./SliceBar";
import { useStack, useStackView } from "./useStackView";
import { useTier } from "./useTier";
import styles from "./Viewport.module.css";

const NONE: readonly Frame[] = [];

export interface ViewportProps {
  readonly series: Series;
  readonly stack: Stack | undefined;
  readonly arriving: boolean;
  /** The window that the series opens with; none: its own. */
  readonly preset: Preset["name"] | undefined;
  readonly onView: (view: StackView | undefined) => void;
}

export function Viewport({ series, stack, arriving, preset, onView }: ViewportProps) {
  const { t } = useTranslation("reading");
  const elementRef = useRef<HTMLDivElement>(null);
  const { view, failed, question, answered } = useStackView(elementRef);
  useStack(view, `${series.seriesInstanceUID} ${stack?.id ?? ""}`, stack?.frames ?? NONE);
  useEffect(() => onView(view), [view, onView]);
  const presets = presetsOf(series.modality, stack?.frames[0]?.rescale.type);
  const opening = presets.find(({ name }) => name === preset);
  useEffect(() => view?.look.openWith(opening), [view, opening]);

  return (
    <div className={styles["viewport"]}>
      <div className={styles["picture"]}>
        <div
          ref={elementRef}
          className={styles["element"]}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: the picture is worked with keys and mouse
          tabIndex={0}
          role="img"
          aria-label={t("viewport")}
          aria-description={t("viewportHint")}
        />
        {view && stack ? <Overlays view={view} series={series} stack={stack} arriving={arriving} /> : null}
        {view && stack ? <SliceNotice view={view} /> : null}
        {question ? <ArrowText question={question} onDone={answered} /> : null}
        {failed ? <EngineFailed className={styles["cover"]} /> : null}
      </div>
      {view && stack && stack.frames.length > 1 ? <SliceBar view={view} frames={stack.frames} /> : null}
    </div>
  );
}

/** Covers the picture when what is behind is not the slice that the numbers name. */
function SliceNotice({ view }: { readonly view: StackView }) {
  const { t } = useTranslation("reading");
  const wanted = useStore(view.stack, (state) => state.wanted);
  const there = useStore(view.stack, (state) => state.shown === state.wanted);
  const imageId = view.currentFrame()?.imageId ?? "";
  const state = useStore({ ...frameStates, get: () => stateOf(imageId), set: () => undefined }, (value) => value);
  if (isProblem(state)) {
    return (
      <div className={styles["cover"]} role="alert">
        <IconAlertTriangle size={28} aria-hidden />
        <p>{t(`frameProblem.${state}`)}</p>
      </div>
    );
  }
  if (there) return <Held view={view} />;
  return (
    <div className={styles["loading"]} role="status">
      <Loader size="sm" color="gray" />
      {t("loadingSlice", { index: wanted + 1 })}
    </div>
  );
}

/** Says why a measuring tool did nothing: it waits for the pixels as they are stored. */
function Held({ view }: { readonly view: StackView }) {
  const { t } = useTranslation("reading");
  const tier = useTier(view);
  const held = useStore(view.measuringHeld, (value) => value);
  if (!held || tier === WHOLE) return null;
  return (
    <div className={styles["loading"]} role="status">
      <Loader size="sm" color="gray" />
      {t("measureWaits")}
    </div>
  );
}
