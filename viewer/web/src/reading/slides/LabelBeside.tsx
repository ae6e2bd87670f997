// Whose glass it is: the pictures of its label and of all of it, and the scanner's own file. Of who may see labels alone.

import { Button } from "@mantine/core";
import { IconFileDownload, IconRotateClockwise2, IconTag } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { instancePictureUrl } from "../../api/dicomweb";
import type { StudyKey } from "../../api/queries";
import { slideQuery } from "../../api/slides";
import type { Series, SlideLabel } from "../../api/types";
import { IconButton } from "../../ui/IconButton";
import { Tool } from "../toolbar/Tool";
import styles from "./LabelBeside.module.css";
import { SidePanel } from "./pathology/SidePanel";
import { useGlassTitle } from "./useGlassTitle";

export interface Labels {
  readonly pictures: readonly SlideLabel[];
  readonly vendorFile: string | null;
}

/** What there is of a slide; undefined when nothing, or nothing that the reader may see. */
export function useLabels(study: StudyKey, series: Series): Labels | undefined {
  const { labels = [], vendorFile = null } = useQuery(slideQuery(study, series.seriesInstanceUID)).data ?? {};
  return labels.length > 0 || vendorFile ? { pictures: labels, vendorFile } : undefined;
}

export interface LabelToolProps {
  readonly pressed: boolean;
  readonly onClick: () => void;
}

export function LabelTool({ pressed, onClick }: LabelToolProps) {
  const { t } = useTranslation("slides");
  return <Tool label={t("label.title")} hint="I" icon={<IconTag size={20} />} pressed={pressed} onClick={onClick} />;
}

export interface LabelPanelProps {
  readonly study: StudyKey;
  readonly series: Series;
  readonly labels: Labels;
  readonly onClose: () => void;
}

/** Pictures are fetched when the panel is opened, never before: each look is written down. */
export function LabelPanel({ study, series, labels, onClose }: LabelPanelProps) {
  const { t } = useTranslation("slides");
  const title = useGlassTitle(study, series);
  return (
    <SidePanel title={`${t("label.title")}: ${title}`} onClose={onClose}>
      <p className={styles["note"]}>{t("label.written")}</p>
      {labels.vendorFile ? (
        <Button
          component="a"
          href={labels.vendorFile}
          download
          variant="default"
          leftSection={<IconFileDownload size={18} />}
        >
          {t("label.vendorFile")}
        </Button>
      ) : null}
      {labels.pictures.map((one) => {
        const url = pictureUrl(study, series, one);
        return url ? <Picture key={url} name={t(`label.${one.kind}`)} url={url} /> : null;
      })}
    </SidePanel>
  );
}

/** An instance of the series, or a picture in the scanner's own file. */
function pictureUrl(study: StudyKey, series: Series, { sopInstanceUID, picture }: SlideLabel): string | null {
  return sopInstanceUID ? instancePictureUrl(study, series.seriesInstanceUID, sopInstanceUID) : picture;
}

/** Scanners take the label as it lies: whoever reads it may turn it. */
function Picture({ name, url }: { readonly name: string; readonly url: string }) {
  const { t } = useTranslation("slides");
  const [failed, setFailed] = useState(false);
  const [turns, setTurns] = useState(0);
  return (
    <figure className={styles["picture"]}>
      <figcaption>
        {name}
        <IconButton
          label={`${t("label.turn")}: ${name}`}
          icon={<IconRotateClockwise2 size={20} />}
          onClick={() => setTurns(turns + 1)}
        />
      </figcaption>
      {failed ? (
        <p role="alert">{t("label.failed")}</p>
      ) : (
        <div className={styles["frame"]} data-turned={turns % 2 === 1}>
          <img src={url} alt={name} style={{ rotate: `${turns * 90}deg` }} onError={() => setFailed(true)} />
        </div>
      )}
    </figure>
  );
}
