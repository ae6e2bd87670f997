// One slide on the screen: the engine's element, its texts, its map, and what is said while tiles are not there.

import { Loader } from "@mantine/core";
import { IconPlugConnectedX } from "@tabler/icons-react";
import { useEffect, useId, useRef } from "react";
import { useTranslation } from "react-i18next";
import type { Slide } from "../../engine/slides/slide";
import type { SlideView } from "../../engine/slides/slideView";
import { useStore } from "../useStore";
import { EngineFailed } from "../viewport/EngineFailed";
import { SlideOverlays } from "./SlideOverlays";
import styles from "./SlidePane.module.css";
import { useMarkLayer } from "./useMarkLayer";
import { type Bench, useSlideView } from "./useSlideView";

export interface SlidePaneProps {
  readonly slide: Slide;
  readonly title: string;
  /** Told what one works with when it is there, and undefined when it is gone. */
  readonly onBench: (bench: Bench | undefined) => void;
  /** Asks for the description anew: what lets tiles be fetched may have ended, or the slide changed. */
  readonly onStale: () => void;
}

export function SlidePane({ slide, title, onBench, onStale }: SlidePaneProps) {
  const { t } = useTranslation("slides");
  const stage = useRef<HTMLDivElement>(null);
  const overview = useRef<HTMLDivElement>(null);
  const { bench, failed } = useSlideView({ stage, overview }, slide);
  const view = bench?.view;
  useMarkLayer(bench, slide);
  const overviewId = `overview${useId().replaceAll(/\W/g, "")}`;
  useEffect(() => onBench(bench), [bench, onBench]);

  return (
    <section className={styles["pane"]} aria-label={title}>
      <div
        ref={stage}
        className={styles["stage"]}
        data-slide={slide.revision}
        role="img"
        aria-label={t("slideOf", { title })}
        aria-description={t("hint")}
      />
      <div ref={overview} id={overviewId} className={styles["overview"]} aria-hidden />
      {view ? <SlideOverlays view={view} title={title} /> : null}
      {view ? <TileNotice view={view} onStale={onStale} /> : null}
      {failed ? <EngineFailed className={styles["cover"]} /> : null}
    </section>
  );
}

/** Says what keeps tiles away; what was seen stays on the screen. */
function TileNotice({ view, onStale }: { readonly view: SlideView; readonly onStale: () => void }) {
  const { t } = useTranslation("slides");
  const problem = useStore(view.problem, (value) => value);
  const settled = useStore(view.settled, (value) => value);
  useEffect(() => {
    if (problem === "denied" || problem === "gone" || problem === "signedOut") onStale();
  }, [problem, onStale]);
  if (problem) {
    return (
      <p className={styles["problem"]} role="alert">
        <IconPlugConnectedX size={18} aria-hidden /> {t(`tileProblem.${problem}`)}
      </p>
    );
  }
  return (
    <div className={styles["settling"]} data-settled={settled}>
      {settled ? null : <Loader size="xs" color="gray" aria-label={t("loadingTiles")} />}
    </div>
  );
}
