// The bar over the lists: where one is, who one is, and the switches.

import { ActionIcon, Menu, Tooltip } from "@mantine/core";
import { IconKey, IconKeyboard, IconLogout, IconUserCircle } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { Session } from "../api/types";
import { Mark } from "../ui/Mark";
import { LanguageToggle, SchemeToggle } from "../ui/Toggles";
import styles from "./Header.module.css";

export interface HeaderProps {
  readonly session: Session;
  readonly nodeName: string;
  readonly onSignOut: () => void;
  readonly onChangePassword: () => void;
  readonly onHelp: () => void;
}

export function Header({ session, nodeName, onSignOut, onChangePassword, onHelp }: HeaderProps) {
  const { t } = useTranslation();
  return (
    <header className={styles["header"]}>
      <Mark size={32} />
      <p className={styles["product"]}>{t("product")}</p>
      <p className={styles["node"]}>{nodeName === t("product") ? "" : nodeName}</p>
      <div className={styles["switches"]}>
        <Tooltip label={`${t("help")} (?)`}>
          <ActionIcon
            className={styles["keys"] ?? ""}
            variant="subtle"
            size="lg"
            aria-label={t("help")}
            onClick={onHelp}
          >
            <IconKeyboard size={20} />
          </ActionIcon>
        </Tooltip>
        <LanguageToggle />
        <SchemeToggle area="lists" />
        <Menu position="bottom-end" transitionProps={{ duration: 0 }}>
          <Menu.Target>
            <button type="button" className={styles["person"]} aria-label={`${t("account")}: ${session.display}`}>
              <IconUserCircle size={20} aria-hidden />
              <span>{session.display || session.name}</span>
            </button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Label>{session.name}</Menu.Label>
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
