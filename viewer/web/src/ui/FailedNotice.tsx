// A full-area message: what could not be had from the node, why, and trying again.

import { Button } from "@mantine/core";
import { IconPlugConnectedX } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { Notice, type NoticeProps } from "./Notice";

export interface FailedNoticeProps extends Pick<NoticeProps, "title" | "children"> {
  readonly icon?: NoticeProps["icon"];
  readonly onRetry: () => void;
}

export function FailedNotice({ icon, title, children, onRetry }: FailedNoticeProps) {
  const { t } = useTranslation();
  return (
    <Notice
      urgent
      icon={icon ?? <IconPlugConnectedX size={48} stroke={1.5} />}
      title={title}
      action={<Button onClick={onRetry}>{t("retry")}</Button>}
    >
      {children}
    </Notice>
  );
}
