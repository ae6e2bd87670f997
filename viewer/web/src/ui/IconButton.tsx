// A button that is a picture alone: its name is its label and its tooltip, with its key if it has one.

import { ActionIcon, Tooltip } from "@mantine/core";
import type { ReactNode } from "react";
import { useKeyLabel } from "./keyScope";

export interface IconButtonProps {
  readonly label: string;
  readonly hint?: string;
  readonly icon: ReactNode;
  readonly size?: "lg" | "xl";
  readonly className?: string | undefined;
  readonly onClick: () => void;
}

export function IconButton({ label, hint: standard, icon, size = "lg", className = "", onClick }: IconButtonProps) {
  const written = useKeyLabel();
  const hint = standard && written(standard);
  return (
    <Tooltip label={hint ? `${label} (${hint})` : label}>
      <ActionIcon className={className} variant="subtle" size={size} aria-label={label} onClick={onClick}>
        {icon}
      </ActionIcon>
    </Tooltip>
  );
}
