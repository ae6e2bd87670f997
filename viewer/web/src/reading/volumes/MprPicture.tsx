// One plane of a reconstruction: the engine's canvas and the texts on it.

import { IconAlertTriangle, IconContrastFilled, IconStack3 } from "@tabler/icons-react";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { edgeLetters } from "../../engine/frames/geometry";
import type { Stack } from "../../engine/frames/stacks";
import type { Built } from "../../engine/volumes/build";
import { handle, type MprTool } from "../../engine/volumes/mprHand";
import { MprPane } from "../../engine/volumes/mprPane";
import { type PlaneName, throughOf } from "../../engine/volumes/planes";
import { formatNumber } from "../../ui/format";
import { usePreferences } from "../../ui/preferences";
import { greyWords } from "../shown/captionOf";
import { useStore } from "../useStore";
import { Live } from "../viewport/Live";
import { Badge, IgnoredBadge, warningText } from "../viewport/Overlays";
import overlayStyles from "../viewport/Overlays.module.css";
import styles from "./Mpr.module.css";

const EDGES = [
  { edge: "top", style: "edgeTop" },
  { edge: "right", style: "edgeRight" },
  { edge: "bottom", style: "edgeBottom" },
  { edge: "left", style: "edgeLeft" },
] as const;

export interface MprPictureProps {
  readonly built: Built;
  readonly stack: Stack;
  readonly plane: PlaneName;
  readonly tool: MprTool;
  readonly active: boolean;
  readonly arriving: boolean;
  readonly onActivate: () => void;
  readonly onPane: (plane: PlaneName, pane: MprPane | undefined) => void;
}

export function MprPicture({ built, stack, plane, tool, active, arriving, onActivate, onPane }: MprPictureProps) {
  const { t } = useTranslation("volumes");
  const elementRef = useRef<HTMLDivElement>(null);
  const toolRef = useRef(tool);
  const [pane, setPane] = useState<MprPane>();

  useEffect(() => {
    toolRef.current = tool;
  }, [tool]);
  useEffect(() => {
    const element = elementRef.current;
    if (!element) return undefined;
    const made = new MprPane(element, built.mpr, plane, built.isNaturallyInverted);
    const letGo = handle(made, built.mpr, () => toolRef.current);
    setPane(made);
    return () => {
      letGo();
      made.destroy();
      setPane(undefined);
    };
  }, [built, plane]);
  useEffect(() => {
    onPane(plane, pane);
    return () => onPane(plane, undefined);
  }, [plane, pane, onPane]);

  return (
    <section
      className={styles["picture"]}
      data-mpr={plane}
      data-active={active}
      onFocusCapture={onActivate}
      onPointerDownCapture={onActivate}
    >
      <div
        ref={elementRef}
        className={styles["element"]}
        data-tool={tool}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the picture is worked with keys and mouse
        tabIndex={0}
        role="img"
        aria-label={t("picture", { plane: t(`plane.${plane}`) })}
        aria-description={t("pictureHint")}
      />
      {pane ? <Texts built={built} stack={stack} pane={pane} arriving={arriving} /> : null}
    </section>
  );
}

interface TextsProps {
  readonly built: Built;
  readonly stack: Stack;
  readonly pane: MprPane;
  readonly arriving: boolean;
}

function Texts({ built, stack, pane, arriving }: TextsProps) {
  const { t } = useTranslation(["volumes", "reading"]);
  const { t: read } = useTranslation("reading");
  const language = usePreferences((preferences) => preferences.language);
  const { mpr } = built;
  const { plane } = pane;
  const name = t(`plane.${plane}`);
  const number = (value: number, decimals = 0) => formatNumber(value, language, decimals);
  return (
    <div className={overlayStyles["overlays"]}>
      <div className={overlayStyles["topLeft"]}>
        <b className={styles["name"]} data-plane={plane}>
          <Live store={mpr.state}>{() => (mpr.isUpright() ? name : t("oblique", { plane: name }))}</Live>
        </b>
        <Live store={mpr.state}>
          {({ slab }) =>
            slab.thicknessMm > 0
              ? t("slabOf", { mode: t(`slabShort.${slab.mode}`), value: number(slab.thicknessMm, 1) })
              : ""
          }
        </Live>
      </div>
      <div className={overlayStyles["topRight"]}>
        {plane === "axial" ? <Badges built={built} stack={stack} arriving={arriving} /> : null}
      </div>
      <div className={overlayStyles["bottomLeft"]}>
        <Live store={mpr.state} className={overlayStyles["strong"]}>
          {({ window, lookup }) => greyWords({ window, byLookup: lookup !== undefined }, language, read)}
        </Live>
        <Live store={pane.standing}>{({ scale }) => `${t("reading:zoom")} ${number(scale * 100)}%`}</Live>
      </div>
      <div className={overlayStyles["bottomRight"]}>
        <Live store={mpr.state} className={overlayStyles["strong"]}>
          {({ planes }) => {
            const depth = mpr.depth(plane);
            const letters = edgeLetters({ row: throughOf(planes[plane]), column: planes[plane].down });
            return t("place", { letter: depth < 0 ? letters.left : letters.right, value: number(Math.abs(depth), 1) });
          }}
        </Live>
        {plane === "axial" ? <Value built={built} /> : null}
      </div>
      <div className={overlayStyles["edges"]} aria-hidden>
        {EDGES.map(({ edge, style }) => (
          <Live key={edge} store={mpr.state} className={overlayStyles[style]}>
            {({ planes }) => edgeLetters({ row: planes[plane].right, column: planes[plane].down })[edge]}
          </Live>
        ))}
      </div>
    </div>
  );
}

/** The stored value nearest to the point, once all slices are here. */
function Value({ built }: { readonly built: Built }) {
  const language = usePreferences((preferences) => preferences.language);
  useStore(built.mpr.filled, (count) => count);
  return (
    <Live store={built.mpr.state}>
      {() => {
        const value = built.mpr.value();
        if (value === undefined) return "";
        const { unit } = built.mpr.brought.get();
        return `${formatNumber(value, language, Number.isInteger(value) ? 0 : 1)} ${unit}`;
      }}
    </Live>
  );
}

function Badges({ built, stack, arriving }: Omit<TextsProps, "pane">) {
  const { t } = useTranslation(["volumes", "reading"]);
  const { t: read } = useTranslation("reading");
  const language = usePreferences((preferences) => preferences.language);
  const progress = useStore(built.gathering.progress, (value) => value);
  const inverted = useStore(built.mpr.state, (state) => state.inverted);
  const ignored = useStore(built.mpr.brought, (brought) => brought.ignored);
  const { count, here, missing } = progress;
  return (
    <>
      {here + missing < count ? (
        <Badge icon={<IconStack3 size={15} aria-hidden />}>{t("gathering", { here, count })}</Badge>
      ) : null}
      {missing > 0 ? (
        <Badge icon={<IconAlertTriangle size={15} aria-hidden />}>{t("missing", { count: missing })}</Badge>
      ) : null}
      {ignored ? <IgnoredBadge ignored={ignored} /> : null}
      {stack.warnings.map((warning) => (
        <Badge key={warning.kind} icon={<IconAlertTriangle size={15} aria-hidden />}>
          {warningText(warning, arriving, language, read)}
        </Badge>
      ))}
      {inverted ? <Badge icon={<IconContrastFilled size={15} aria-hidden />}>{t("reading:inverted")}</Badge> : null}
    </>
  );
}
