// The pathology of a case beside its slide: the form and the reader's validation record, their buttons and panels.

import { IconCertificate, IconClipboardText } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { type StudyKey, sessionQuery } from "../../../api/queries";
import type { ReaderValidation } from "../../../api/types";
import { Tool } from "../../toolbar/Tool";
import { FormPanel } from "./FormPanel";
import { ValidationPanel } from "./ValidationPanel";

export type PathologySide = "form" | "validation";

/** Another's link is no account: neither forms nor records are its. */
export function useHasForms(): boolean {
  return !useQuery(sessionQuery).data?.study;
}

export interface PathologyToolsProps {
  /** What is open. */
  readonly side: string | undefined;
  readonly onSide: (side: PathologySide) => void;
  readonly standing: ReaderValidation["standing"] | null | undefined;
}

export function PathologyTools({ side, onSide, standing }: PathologyToolsProps) {
  const { t } = useTranslation("pathology");
  const hasForms = useHasForms();
  return (
    <>
      {hasForms ? (
        <Tool
          label={t("formTitle")}
          hint="Y"
          icon={<IconClipboardText size={20} />}
          pressed={side === "form"}
          onClick={() => onSide("form")}
        />
      ) : null}
      {standing ? (
        <Tool
          label={t("validation")}
          icon={<IconCertificate size={20} />}
          pressed={side === "validation"}
          onClick={() => onSide("validation")}
        />
      ) : null}
    </>
  );
}

export interface PathologyPanelProps {
  readonly study: StudyKey;
  readonly side: string | undefined;
  readonly onClose: () => void;
}

export function PathologyPanel({ study, side, onClose }: PathologyPanelProps) {
  if (side === "form") return <FormPanel study={study} onClose={onClose} />;
  return side === "validation" ? <ValidationPanel onClose={onClose} /> : null;
}
