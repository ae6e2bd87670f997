// The bar over the lists: where one is, who one is, and the switches.

import { Button, Menu } from "@mantine/core";
import {
  IconDeviceDesktop,
  IconEyeCheck,
  IconKey,
  IconKeyboard,
  IconLogout,
  IconUpload,
  IconUserCircle,
} from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { Session } from "../api/types";
import { IconButton } from "../ui/IconButton";
import { Mark } from "../ui/Mark";
import { LanguageToggle, SchemeToggle } from "../ui/Toggles";
import styles from "./Header.module.css";
import { toggleImagesWindow, useImagesWindow } from "./imagesWindow";

export interface HeaderProps {
  readonly session: Session;
  readonly nodeName: string;
  /** How many instances' pixels wait for this person; none: it is not theirs to decide. */
  readonly waiting: number | undefined;
  readonly onReviews: () => void;
  readonly onSignOut: () => void;
  readonly onChangePassword: () => void;
  readonly onDisplay: () => void;
  /** None: this person, or this node, takes no files. */
  readonly onUpload: (() => void) | undefined;
  readonly onHelp: (() => void) | undefined;
}

export function Header(props: HeaderProps) {
  const { session, nodeName, waiting, onReviews, onUpload, onSignOut, onChangePassword, onDisplay, onHelp } = props;
  const { t } = useTranslation(["common", "review", "upload", "display"]);
  const there = useImagesWindow(({ wanted }) => wanted);
  return (
    <header className={styles["header"]}>
      <Mark size={32} />
      <p className={styles["product"]}>{t("product")}</p>
      <p className={styles["node"]}>{nodeName === t("product") ? "" : nodeName}</p>
      <div className={styles["switches"]}>
        {waiting === undefined ? null : (
          <Button
            variant={waiting > 0 ? "light" : "subtle"}
            size="compact-md"
            aria-label={t("review:openCount", { count: waiting })}
            leftSection={<IconEyeCheck size={18} />}
            onClick={onReviews}
          >
            <span className={styles["label"]}>{`${t("review:open")}: `}</span>
            {waiting}
          </Button>
        )}
        {onUpload ? (
          <IconButton label={t("upload:openPage")} icon={<IconUpload size={20} />} onClick={onUpload} />
        ) : null}
        {onHelp ? (
          <IconButton
            className={styles["keys"]}
            label={t("help")}
            hint="?"
            icon={<IconKeyboard size={20} />}
            onClick={onHelp}
          />
        ) : null}
        <LanguageToggle />
        <SchemeToggle area="lists" />
        <Menu position="bottom-end">
          <Menu.Target>
            <button type="button" className={styles["person"]} aria-label={`${t("account")}: ${session.display}`}>
              <IconUserCircle size={20} aria-hidden />
              <span>{session.display || session.name}</span>
            </button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Label>{session.name}</Menu.Label>
            <Menu.Item leftSection={<IconDeviceDesktop size={16} />} onClick={onDisplay}>
              {t("display:open")}
            </Menu.Item>
            <Menu.CheckboxItem checked={there} onChange={toggleImagesWindow}>
              {t("imagesWindow.open")}
            </Menu.CheckboxItem>
            <Menu.Item leftSection={<IconKey size={16} />} onClick={onChangePassword}>
              {t("changePassword")}
            </Menu.Item>
            <Menu.Item leftSection={<IconLogout size={16} />} onClick={onSignOut}>
              {t("signOut")}
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      </div>
    </header>
  );
}
