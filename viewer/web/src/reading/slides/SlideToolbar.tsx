// The tools of a slide as buttons; each has a key.

import {
  IconColorSwatch,
  IconFlipVertical,
  IconFocusCentered,
  IconHome,
  IconRotate2,
  IconRotateClockwise2,
} from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { nativePower } from "../../engine/slides/geometry";
import type { Slide } from "../../engine/slides/slide";
import type { SlideView } from "../../engine/slides/slideView";
import { formatNumber } from "../../ui/format";
import { keepSliderKeys } from "../../ui/hotkeys";
import { usePreferences } from "../../ui/preferences";
import { Tool } from "../toolbar/Tool";
import toolbarStyles from "../toolbar/Toolbar.module.css";
import { useStore } from "../useStore";
import { Comparing, type Comparison } from "./Comparing";
import { MarkTools } from "./MarkTools";
import { POWERS } from "./powers";
import styles from "./SlideToolbar.module.css";
import type { Bench } from "./useSlideView";

export interface SlideToolbarProps {
  readonly bench: Bench;
  /** Whether the list of marks is open. */
  readonly listed: boolean;
  readonly onListed: (listed: boolean) => void;
  readonly comparing: Comparison;
  /** Further tools. */
  readonly children?: ReactNode;
}

export function SlideToolbar({ bench, listed, onListed, comparing, children }: SlideToolbarProps) {
  const { t } = useTranslation(["slides", "reading"]);
  const { view } = bench;
  const { slide } = view;
  return (
    <div className={toolbarStyles["toolbar"]} role="toolbar" aria-label={t("reading:toolbar")}>
      <Tool label={t("home")} hint="F" icon={<IconHome size={20} />} onClick={() => view.reset()} />
      {nativePower(slide) === undefined ? null : <Objectives view={view} />}
      <span className={toolbarStyles["divider"]} />
      <Tool label={t("rotate")} hint="R" icon={<IconRotateClockwise2 size={20} />} onClick={() => view.rotateBy(90)} />
      <Tool
        label={t("rotateBack")}
        hint="Shift+R"
        icon={<IconRotate2 size={20} />}
        onClick={() => view.rotateBy(-90)}
      />
      <Mirror view={view} />
      <span className={toolbarStyles["divider"]} />
      <MarkTools bench={bench} listed={listed} onListed={onListed} />
      <span className={toolbarStyles["divider"]} />
      <Comparing {...comparing} />
      {children}
      {slide.hasIcc ? <ColorProfile view={view} /> : null}
      <OpticalPaths view={view} slide={slide} />
      <Focus view={view} slide={slide} />
    </div>
  );
}

/** As through an objective; the one nearest to what is shown is pressed. */
function Objectives({ view }: { readonly view: SlideView }) {
  const { t } = useTranslation("slides");
  const native = nativePower(view.slide) ?? 1;
  const near = useStore(view.camera, ({ zoom }) => POWERS.find(({ power }) => isNear(native * zoom, power))?.power);
  return (
    <div className={styles["objectives"]} role="group" aria-label={t("objectives")}>
      {POWERS.map(({ key, power }) => (
        <Tool
          key={power}
          label={t("magnify", { power })}
          hint={key}
          icon={<b className={toolbarStyles["oneToOne"]}>{t("power", { power })}</b>}
          pressed={near === power}
          onClick={() => view.magnify(power)}
        />
      ))}
    </div>
  );
}

function isNear(power: number, objective: number): boolean {
  return Math.abs(power / objective - 1) < 0.02;
}

function Mirror({ view }: { readonly view: SlideView }) {
  const { t } = useTranslation("slides");
  const mirrored = useStore(view.camera, (camera) => camera.mirrored);
  return (
    <Tool
      label={t("mirror")}
      hint="M"
      icon={<IconFlipVertical size={20} />}
      pressed={mirrored}
      onClick={() => view.mirror()}
    />
  );
}

function ColorProfile({ view }: { readonly view: SlideView }) {
  const { t } = useTranslation("slides");
  const managed = useStore(view.layer, (layer) => layer.managed);
  return (
    <Tool
      label={t("profile")}
      hint="P"
      icon={<IconColorSwatch size={20} />}
      pressed={managed}
      onClick={() => view.show({ managed: !managed })}
    />
  );
}

function OpticalPaths({ view, slide }: { readonly view: SlideView; readonly slide: Slide }) {
  const { t } = useTranslation("slides");
  const chosen = useStore(view.layer, (layer) => layer.opticalPath);
  if (slide.opticalPaths.length < 2) return null;
  return (
    <select
      className={styles["paths"]}
      aria-label={t("opticalPath")}
      value={chosen}
      onChange={(event) => view.show({ opticalPath: Number(event.currentTarget.value) })}
    >
      {slide.opticalPaths.map(({ number, name }) => (
        <option key={number} value={number}>
          {name || t("pathNumber", { number: number + 1 })}
        </option>
      ))}
    </select>
  );
}

/** Planes in order of their height, as the fine focus of a microscope goes through them. */
function Focus({ view, slide }: { readonly view: SlideView; readonly slide: Slide }) {
  const { t } = useTranslation("slides");
  const language = usePreferences((preferences) => preferences.language);
  const chosen = useStore(view.layer, (layer) => layer.focalPlane);
  if (slide.focalPlanes.length < 2) return null;
  const planes = [...slide.focalPlanes].sort((a, b) => a.microns - b.microns);
  const index = planes.findIndex(({ number }) => number === chosen);
  const height = t("height", { microns: formatNumber(planes[index]?.microns ?? 0, language, 1) });
  return (
    <>
      <span className={toolbarStyles["divider"]} />
      <IconFocusCentered size={20} aria-hidden />
      <input
        className={toolbarStyles["rate"]}
        type="range"
        min={0}
        max={planes.length - 1}
        value={index}
        aria-label={t("focus")}
        aria-valuetext={height}
        onKeyDown={keepSliderKeys}
        onChange={(event) => view.show({ focalPlane: planes[Number(event.currentTarget.value)]?.number ?? chosen })}
      />
      <span className={toolbarStyles["rateText"]}>{height}</span>
    </>
  );
}
