// The work on series of slices: tools, one picture or several side by side, keys.

import { IconListSearch } from "@tabler/icons-react";
import { useEffect, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import type { StudyKey } from "../api/queries";
import type { Series } from "../api/types";
import type { Vector } from "../engine/frames/geometry";
import { presetsOf } from "../engine/frames/presets";
import type { Stack } from "../engine/frames/stacks";
import { CINE_RATE_DEFAULT, rateOf } from "../engine/stack/cine";
import { sliceNear } from "../engine/stack/pointing";
import type { StackView } from "../engine/stack/stackView";
import type { PrimaryTool } from "../engine/stack/tools";
import { KeyScope } from "../ui/keyScope";
import { Pane } from "./arrangement/Pane";
import paneStyles from "./arrangement/Panes.module.css";
import { following } from "./arrangement/panes";
import { ReferenceLines } from "./arrangement/ReferenceLines";
import { useArrangement } from "./arrangement/useArrangement";
import { useLinked } from "./arrangement/useLinked";
import { isSecond, openSecond } from "./beside/pair";
import { useScrolledTogether } from "./beside/useSecond";
import { FindingsButton, FindingsOfRoom } from "./findings/FindingsOfRoom";
import type { Findings } from "./findings/findings";
import { useOthers } from "./findings/useOthers";
import { HeaderDrawer } from "./header/HeaderDrawer";
import { LayerCanvas } from "./layers/LayerCanvas";
import { LayersMenu, layerKeys } from "./layers/LayersMenu";
import { useLayers } from "./layers/useLayers";
import styles from "./Reading.module.css";
import { ReadingKeys } from "./ReadingKeys";
import { TakeOfStack } from "./shown/TakeOfStack";
import { useShownKept } from "./shown/useShownKept";
import { hangNext } from "./toolbar/HangingRows";
import { LayoutMenu } from "./toolbar/LayoutMenu";
import { Tool } from "./toolbar/Tool";
import { Toolbar } from "./toolbar/Toolbar";
import { useModality, useRescaleType } from "./viewport/useTier";
import { MprButton } from "./volumes/MprButton";
import { MprRoom } from "./volumes/MprRoom";
import { PointMark } from "./volumes/PointMark";
import { useSpaceCursor } from "./volumes/useSpaceCursor";

/** What a room can ask of the page around it, whatever it shows. */
export interface RoomProps {
  readonly study: StudyKey;
  readonly series: readonly Series[];
  readonly current: Series;
  readonly onSeries: (seriesInstanceUid: string) => void;
  readonly onBack: () => void;
  /** Go to the case so many places further in the list. */
  readonly onCase: (by: number) => void;
  readonly onTrace: () => void;
  /** Show what is looked at in a second window. */
  readonly onSecond: () => void;
  readonly helpOpened: boolean;
  readonly onHelp: (opened: boolean) => void;
}

export interface StackRoomProps extends RoomProps {
  /** Of the series, in reading order. */
  readonly stacks: readonly Stack[];
  readonly stack: Stack | undefined;
  /** Show a stack, or the first, of a series: of the one that is shown, where none is told. */
  readonly onStack: (id: string | undefined, seriesInstanceUid?: string) => void;
  readonly arriving: boolean;
  readonly findings: Findings | undefined;
}

const TOUCH = "(pointer: coarse)";
type Views = readonly (StackView | undefined)[];

function withView(views: Views, index: number, view: StackView | undefined): Views {
  if (views[index] === view) return views;
  const next = [...views];
  next[index] = view;
  return next;
}

export function StackRoom({ arriving, findings, ...room }: StackRoomProps) {
  const { study, series, current, stack } = room;
  const { arrangement, hanging, onLayout, onLinked, onPrior, onActivate } = useArrangement(room);
  const { layout, active, panes, linked } = arrangement;
  const { t } = useTranslation("header");
  const [header, setHeader] = useState(false);
  const [views, setViews] = useState<Views>([]);
  const [listed, setListed] = useState(false);
  const [tool, setTool] = useState<PrimaryTool>(() => (window.matchMedia(TOUCH).matches ? "scroll" : "windowLevel"));
  const [rate, setRate] = useState(CINE_RATE_DEFAULT);
  const [filming, setFilming] = useState(false);
  const [reconstructed, setReconstructed] = useState(false);
  const view = views[active];
  const frame = stack?.frames[0];
  // Of the image itself, which may be of another study; a damaged Modality LUT takes the unit away, and windows with it.
  const [seen, counted] = [useModality(view), useRescaleType(view)];
  const [modality, unit] = seen === undefined ? [current.modality, frame?.rescale.type] : [seen, counted];
  const presets = useMemo(() => presetsOf(modality, unit), [modality, unit]);
  const shown = useMemo(() => views.slice(0, layout), [views, layout]);

  const over = useLayers(study, series);
  const priors = panes.slice(0, layout).flatMap((pane) => (pane.isPrior ? [pane.study] : []));
  const others = useOthers(over.layers, study, series, priors);
  const cursor = useSpaceCursor(shown);

  useShownKept(shown, panes, reconstructed || filming);
  useLinked(shown, active, linked && layout > 1);
  useScrolledTogether(view, linked);
  const pane = panes[active];
  const isPrior = pane?.isPrior === true;
  const onSecond = () => {
    if (pane && !isSecond()) void openSecond(pane.study, pane.seriesInstanceUid);
  };
  useEffect(() => {
    for (const one of views) one?.choose(tool);
  }, [views, tool]);
  useEffect(() => view?.setRate(rate), [view, rate]);
  useEffect(() => {
    if (frame) setRate(rateOf(frame.cineRate));
  }, [frame]);

  const leave = (point: Vector | undefined) => {
    setReconstructed(false);
    const index = view && point && sliceNear(view.allFrames(), point);
    if (index !== undefined) view?.goTo(index);
  };

  const menu = { study, layout, onLayout, linked, onLinked, onPrior, hanging };
  // The panes stay as they are behind a reconstruction, with their slices, and are there again after it.
  const volume = reconstructed ? stack : undefined;
  return (
    <div className={styles["work"]}>
      {volume ? (
        <KeyScope value="volumes">
          <MprRoom
            {...room}
            stack={volume}
            onSecond={onSecond}
            stackKey={`${current.seriesInstanceUID} ${stack?.id ?? ""}`}
            isPrior={isPrior}
            arriving={arriving}
            onLeave={leave}
          />
        </KeyScope>
      ) : null}
      {!volume && view && stack ? (
        <Toolbar view={view} tool={tool} onTool={setTool} presets={presets} rate={rate} onRate={setRate}>
          <LayoutMenu {...menu} />
          <LayersMenu study={over} stack={stack} others={others.length > 0} view={view} />
          <MprButton stack={stack} isPrior={isPrior} onOpen={() => setReconstructed(true)} />
          <Tool label={t("title")} hint="Shift+T" icon={<IconListSearch size={20} />} onClick={() => setHeader(true)} />
          <TakeOfStack study={panes[active]?.study ?? study} film={{ view, rate, onFilming: setFilming }} />
          <FindingsButton listed={listed} onListed={setListed} />
        </Toolbar>
      ) : null}
      {volume || (view && stack) ? null : <div className={styles["toolbarPlace"]} />}
      <div
        className={paneStyles["panes"]}
        data-layout={layout}
        data-behind={volume !== undefined}
        inert={volume !== undefined}
      >
        {panes.slice(0, layout).map((choice, index) => (
          <Pane
            // biome-ignore lint/suspicious/noArrayIndexKey: a pane is its place
            key={index}
            choice={choice}
            series={series}
            arriving={arriving}
            active={layout === 1 ? undefined : index === active}
            onActivate={() => (index === active ? undefined : onActivate(index))}
            onView={(made) => setViews((before) => withView(before, index, made))}
          >
            <LayerCanvas view={shown[index]} layers={over.layers} />
            <ReferenceLines views={shown} index={index} />
            <PointMark view={shown[index]} point={cursor.point} />
          </Pane>
        ))}
        <FindingsOfRoom
          findings={findings}
          study={study}
          priors={priors}
          others={others}
          view={volume ? undefined : view}
          listed={listed}
          onListed={setListed}
          onImage={({ seriesInstanceUID, sopInstanceUID }) => room.onStack(sopInstanceUID, seriesInstanceUID)}
        />
      </div>
      <HeaderDrawer url={view?.currentFrame()?.url} opened={header} onClose={() => setHeader(false)} />
      {volume ? null : (
        <ReadingKeys
          {...room}
          arriving={arriving}
          findings={findings}
          view={view}
          presets={presets}
          rate={rate}
          onRate={setRate}
          onTool={setTool}
          onLayout={() => onLayout(following(layout))}
          onPane={(by) => onActivate((active + by + layout) % layout)}
          onLinked={() => onLinked(!linked)}
          onHanging={() => hangNext(hanging)}
          onReconstruct={() => setReconstructed(true)}
          onHeader={() => setHeader(true)}
          onSecond={onSecond}
          onPoint={cursor.onPoint}
          onLayers={() => over.layers.toggle(...layerKeys(over))}
        />
      )}
    </div>
  );
}
