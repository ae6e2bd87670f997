// The way from a stack to its reconstruction; what cannot be reconstructed says why.

import { IconCube3dSphere } from "@tabler/icons-react";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { Stack } from "../../engine/frames/stacks";
import { whyNot } from "../../engine/volumes/build";
import { Tool } from "../toolbar/Tool";

export interface MprButtonProps {
  readonly stack: Stack;
  /** The picture that one works in is of another study. */
  readonly isPrior: boolean;
  readonly onOpen: () => void;
}

export function MprButton({ stack, isPrior, onOpen }: MprButtonProps) {
  const { t } = useTranslation("volumes");
  const refusal = useMemo(() => (isPrior ? "otherStudy" : whyNot(stack)), [stack, isPrior]);
  const label = refusal ? `${t("short")}. ${t(`refused.${refusal}`)}` : t("mpr");
  return (
    <Tool
      label={label}
      short={t("short")}
      {...(refusal ? {} : { hint: "Shift+M" })}
      icon={<IconCube3dSphere size={20} />}
      disabled={refusal !== undefined}
      onClick={onOpen}
    />
  );
}
