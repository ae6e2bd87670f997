// A fault of ours on a screen: say so and offer the way out, instead of a blank page.

import { Button } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { Component, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Notice } from "../ui/Notice";

interface State {
  readonly failed: boolean;
}

export class ErrorBoundary extends Component<{ readonly children: ReactNode }, State> {
  override readonly state: State = { failed: false };

  static getDerivedStateFromError(): State {
    return { failed: true };
  }

  override render(): ReactNode {
    return this.state.failed ? <Failed /> : this.props.children;
  }
}

function Failed() {
  const { t } = useTranslation(["reading", "common"]);
  return (
    <Notice
      urgent
      icon={<IconAlertTriangle size={48} stroke={1.5} />}
      title={t("engineFailed")}
      action={<Button onClick={() => location.assign("/worklist")}>{t("common:back")}</Button>}
    >
      {t("engineFailedHint")}
    </Notice>
  );
}
