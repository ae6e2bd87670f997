// What lies over the images, each shown or hidden.

import { Menu } from "@mantine/core";
import { IconCheck, IconStackPush } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { Stack } from "../../engine/frames/stacks";
import { partOf } from "../../engine/layers/displayedArea";
import { OTHERS, OVERLAYS, segmentKey } from "../../engine/layers/layers";
import type { PresentationState } from "../../engine/layers/presentationState";
import { segmentColor } from "../../engine/layers/segmentColor";
import type { StackView } from "../../engine/stack/stackView";
import { measuredPixelMm } from "../../ui/pixelSize";
import { KeyMark, ToolMenu } from "../toolbar/ToolMenu";
import { useStore } from "../useStore";
import styles from "./LayerCanvas.module.css";
import type { StudyLayers } from "./useLayers";

/** Every key of what can be shown. */
export function layerKeys({ segmentations }: StudyLayers): readonly string[] {
  return [
    OVERLAYS,
    OTHERS,
    ...segmentations.flatMap((one) => one.segments.map((segment) => segmentKey(one, segment.number))),
  ];
}

export interface LayersMenuProps {
  readonly study: StudyLayers;
  readonly stack: Stack;
  /** Whether other documents draw. */
  readonly others: boolean;
  readonly view: StackView;
}

/** Nothing, where nothing lies over the images. */
export function LayersMenu({ study, stack, others, view }: LayersMenuProps) {
  const { t } = useTranslation("volumes");
  const hidden = useStore(study.layers.hidden, (value) => value);
  const hasOverlays = stack.frames.some((frame) => frame.overlays.length > 0);
  const chosen = useStore(study.layers.state, (state) => state?.sopInstanceUid);
  if (!(hasOverlays || others) && study.segmentations.length + study.states.length === 0) return null;
  const apply = (state: PresentationState) => {
    view.look.reset();
    if (!study.layers.chooseState(state)) return;
    if (state.window) view.look.chooseWindow(state.window);
    if (state.inverted) view.look.toggleInvert();
    if (state.rotation || state.flipped) view.look.place(state.rotation, state.flipped);
    const frame = view.currentFrame();
    const part = frame && partOf(state.areas, frame, measuredPixelMm());
    if (part) view.look.showPart(part);
  };
  const check = (key: string) => (hidden.has(key) ? null : <IconCheck size={16} />);
  const said = (key: string, name: string) => t(hidden.has(key) ? "layerHidden" : "layerShown", { name });
  return (
    <ToolMenu label={t("layers")} short={t("layers")} icon={<IconStackPush size={20} />}>
      <Menu.Item rightSection={<KeyMark>⇧O</KeyMark>} onClick={() => study.layers.toggle(...layerKeys(study))}>
        {t("layersAll")}
      </Menu.Item>
      {hasOverlays ? (
        <Menu.Item
          aria-label={said(OVERLAYS, t("overlays"))}
          rightSection={check(OVERLAYS)}
          onClick={() => study.layers.toggle(OVERLAYS)}
        >
          {t("overlays")}
        </Menu.Item>
      ) : null}
      {others ? (
        <Menu.Item
          aria-label={said(OTHERS, t("othersMarks"))}
          rightSection={check(OTHERS)}
          onClick={() => study.layers.toggle(OTHERS)}
        >
          {t("othersMarks")}
        </Menu.Item>
      ) : null}
      {study.states.map((state, index) => (
        <Menu.Item
          key={state.sopInstanceUid}
          aria-current={state.sopInstanceUid === chosen ? "true" : undefined}
          rightSection={state.sopInstanceUid === chosen ? <IconCheck size={16} /> : null}
          onClick={() => apply(state)}
        >
          {t("state", { name: state.label || String(index + 1) })}
        </Menu.Item>
      ))}
      {study.segmentations.flatMap((one) =>
        one.segments.map((segment) => {
          const key = segmentKey(one, segment.number);
          return (
            <Menu.Item
              key={key}
              aria-label={said(key, segment.label || t("segment", { number: segment.number }))}
              leftSection={
                <span
                  className={styles["swatch"]}
                  style={{ background: `rgb(${segmentColor(segment.number).join(" ")})` }}
                />
              }
              rightSection={check(key)}
              onClick={() => study.layers.toggle(key)}
            >
              {segment.label || t("segment", { number: segment.number })}
            </Menu.Item>
          );
        }),
      )}
    </ToolMenu>
  );
}
