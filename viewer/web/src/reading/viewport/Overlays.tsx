// The texts on the image: what it is, where one is in it, how it is shown, and what to beware of.

import {
  IconAlertTriangle,
  IconContrastFilled,
  IconCrop,
  IconPhotoDown,
  IconRuler2,
  IconTextCaption,
} from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Series } from "../../api/types";
import type { Frame } from "../../engine/frames/frame";
import { edgeLetters } from "../../engine/frames/geometry";
import type { StackWarning } from "../../engine/frames/stackOrder";
import type { Stack } from "../../engine/frames/stacks";
import type { StackView } from "../../engine/stack/stackView";
import { formatNumber } from "../../ui/format";
import { type Language, usePreferences } from "../../ui/preferences";
import { greyWords } from "../shown/captionOf";
import { useStore } from "../useStore";
import { Live } from "./Live";
import styles from "./Overlays.module.css";
import { useDisplayIgnored, useTier } from "./useTier";

const EDGES = [
  { edge: "top", style: "edgeTop" },
  { edge: "right", style: "edgeRight" },
  { edge: "bottom", style: "edgeBottom" },
  { edge: "left", style: "edgeLeft" },
] as const;

export interface OverlaysProps {
  readonly view: StackView;
  readonly series: Series;
  readonly stack: Stack;
  readonly arriving: boolean;
}

export function Overlays({ view, series, stack, arriving }: OverlaysProps) {
  const { t } = useTranslation("reading");
  const language = usePreferences((preferences) => preferences.language);
  return (
    <div className={styles["overlays"]}>
      <div className={styles["topLeft"]}>
        <span>{series.number === null ? t("seriesUnnumbered") : t("series", { number: series.number })}</span>
        <span>{series.description}</span>
        <Live store={view.stack}>
          {() => {
            const number = view.currentFrame()?.instanceNumber;
            return number === undefined || stack.cine ? "" : t("instance", { number });
          }}
        </Live>
      </div>
      <div className={styles["topRight"]}>
        <Badges view={view} stack={stack} arriving={arriving} />
      </div>
      <div className={styles["bottomLeft"]}>
        <Live store={view.look.presentation} className={styles["strong"]}>
          {(presentation) => greyWords(presentation, language, t)}
        </Live>
        <Live store={view.look.presentation}>
          {({ scale }) => `${t("zoom")} ${formatNumber(scale * 100, language)}%`}
        </Live>
      </div>
      <div className={styles["bottomRight"]}>
        <Fidelity view={view} />
        <Live store={view.stack} className={styles["strong"]}>
          {({ wanted, count }) => `${stack.cine ? t("frame") : t("slice")} ${wanted + 1}/${count}`}
        </Live>
        <Live store={view.stack}>
          {() => {
            const thickness = view.currentFrame()?.sliceThicknessMm;
            return thickness === undefined ? "" : t("thickness", { value: formatNumber(thickness, language, 1) });
          }}
        </Live>
      </div>
      <Edges view={view} />
    </div>
  );
}

/** How much of the stored image is shown: a preview must never look final. */
function Fidelity({ view }: { readonly view: StackView }) {
  const { t } = useTranslation("reading");
  const tier = useTier(view);
  if (tier === undefined) return null;
  return (
    <span className={styles["fidelity"]} data-tier={tier}>
      {t(`fidelity.${tier}`)}
    </span>
  );
}

function Edges({ view }: { readonly view: StackView }) {
  return (
    <div className={styles["edges"]} aria-hidden>
      {EDGES.map(({ edge, style }) => (
        <Live key={edge} store={view.look.presentation} className={styles[style]}>
          {({ axes }) => (axes ? edgeLetters(axes)[edge] : "")}
        </Live>
      ))}
    </div>
  );
}

export function Badge({
  icon,
  title,
  children,
}: {
  readonly icon: ReactNode;
  readonly title?: string | undefined;
  readonly children: ReactNode;
}) {
  return (
    <span className={styles["badge"]} title={title}>
      {icon}
      {children}
    </span>
  );
}

/** An image, or a volume, is not shown as it says that it should be. */
export function IgnoredBadge({ ignored }: { readonly ignored: NonNullable<Frame["displayIgnored"]> }) {
  const { t } = useTranslation("reading");
  return (
    <Badge icon={<IconAlertTriangle size={15} aria-hidden />} title={t("displayIgnored.why")}>
      {t(`displayIgnored.${ignored}`)}
    </Badge>
  );
}

function Badges({ view, stack, arriving }: Pick<OverlaysProps, "view" | "stack" | "arriving">) {
  const { t } = useTranslation(["reading", "volumes"]);
  const language = usePreferences((preferences) => preferences.language);
  const inverted = useStore(view.look.presentation, (presentation) => presentation.inverted);
  const part = useStore(view.look.presentation, (presentation) => presentation.part);
  const trueSize = useStore(view.look.presentation, (presentation) => presentation.trueSize);
  const ignored = useDisplayIgnored(view);
  const frame = stack.frames[0];
  return (
    <>
      {frame?.lossy ? (
        <Badge icon={<IconPhotoDown size={15} aria-hidden />} title={t("lossyWhy")}>
          {frame.lossyRatio === undefined
            ? t("lossy")
            : t("lossyRatio", { ratio: formatNumber(frame.lossyRatio, language) })}
        </Badge>
      ) : null}
      {frame?.burnedInAnnotation ? (
        <Badge icon={<IconTextCaption size={15} aria-hidden />}>{t("burnedIn")}</Badge>
      ) : null}
      {ignored ? <IgnoredBadge ignored={ignored} /> : null}
      {frame?.uptake?.why ? (
        <Badge icon={<IconAlertTriangle size={15} aria-hidden />} title={t("volumes:suv.whyNot")}>
          {t(`volumes:suv.why.${frame.uptake.why}`)}
        </Badge>
      ) : null}
      {stack.warnings.map((warning) => (
        <Badge key={warning.kind} icon={<IconAlertTriangle size={15} aria-hidden />}>
          {warningText(warning, arriving, language, t)}
        </Badge>
      ))}
      {inverted ? <Badge icon={<IconContrastFilled size={15} aria-hidden />}>{t("inverted")}</Badge> : null}
      {trueSize ? (
        <Badge icon={<IconRuler2 size={15} aria-hidden />} title={trueSize === "shown" ? t("trueSizeWhy") : undefined}>
          {t(`trueSizeTold.${trueSize}`)}
        </Badge>
      ) : null}
      {part ? (
        <Badge icon={<IconCrop size={15} aria-hidden />} title={t("volumes:area.why")}>
          {t(`volumes:area.${part}`)}
        </Badge>
      ) : null}
    </>
  );
}

type Translate = ReturnType<typeof useTranslation<"reading">>["t"];

export function warningText(warning: StackWarning, arriving: boolean, language: Language, t: Translate): string {
  const number = (value: number) => formatNumber(value, language, 1);
  switch (warning.kind) {
    case "tilt":
      return t("warning.tilt", { degrees: number(warning.degrees) });
    case "unevenSpacing":
      return t("warning.unevenSpacing", { smallest: number(warning.smallestMm), largest: number(warning.largestMm) });
    case "gap": {
      const where = { gap: number(warning.gapMm), index: warning.afterIndex + 1, usual: number(warning.usualMm) };
      return arriving ? t("warning.gapArriving", where) : t("warning.gap", where);
    }
    default:
      return t(`warning.${warning.kind}`);
  }
}
