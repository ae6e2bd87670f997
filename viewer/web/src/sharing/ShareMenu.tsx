// What may be done with a study outside this room: take it away, give a link to it, open it in another program.

import { ActionIcon, Menu } from "@mantine/core";
import {
  IconBox,
  IconDisc,
  IconDownload,
  IconExternalLink,
  IconLink,
  IconShare2,
  IconStack3,
} from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { discUrl, mediumUrl } from "../api/dicomweb";
import { nodeQuery, type StudyKey, sessionQuery } from "../api/queries";
import { ohifAddress, openProgram, type Program } from "../api/sharing";
import { LinkDialog } from "./LinkDialog";

/** What a study is taken away as. */
const TAKEN = [
  { name: "download", addressOf: mediumUrl, icon: <IconDownload size={18} /> },
  { name: "disc", addressOf: discUrl, icon: <IconDisc size={18} /> },
] as const;

export function ShareMenu({ study }: { readonly study: StudyKey }) {
  const { t } = useTranslation("sharing");
  const rights = useQuery(sessionQuery).data?.rights ?? [];
  const hasOhif = useQuery(nodeQuery).data?.ohif ?? false;
  const [linking, setLinking] = useState(false);
  const [failed, setFailed] = useState(false);
  const exports = rights.includes("dicomweb:export");
  if (!rights.includes("api:read")) return null;

  const open = async (program: Program) => {
    const result = await openProgram(study, program);
    setFailed(!result.ok);
    if (result.ok) location.assign(result.value.address);
  };

  return (
    <>
      <Menu
        position="bottom-end"
        transitionProps={{ duration: 0 }}
        onClose={() => setFailed(false)}
        closeOnItemClick={false}
      >
        <Menu.Target>
          <ActionIcon variant="subtle" size="lg" aria-label={t("menu")} title={t("menu")}>
            <IconShare2 size={20} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          {exports ? (
            <>
              {TAKEN.map(({ name, addressOf, icon }) => (
                <Menu.Item
                  key={name}
                  component="a"
                  href={addressOf(study)}
                  download
                  closeMenuOnClick
                  leftSection={icon}
                >
                  {t(name)}
                </Menu.Item>
              ))}
              <Menu.Item closeMenuOnClick leftSection={<IconLink size={18} />} onClick={() => setLinking(true)}>
                {t("link")}
              </Menu.Item>
              <Menu.Divider />
            </>
          ) : null}
          <Menu.Item leftSection={<IconStack3 size={18} />} onClick={() => void open("weasis")}>
            {t("weasis")}
          </Menu.Item>
          <Menu.Item leftSection={<IconBox size={18} />} onClick={() => void open("slicer")}>
            {t("slicer")}
          </Menu.Item>
          {hasOhif ? (
            <Menu.Item
              component="a"
              href={ohifAddress(study)}
              target="_blank"
              closeMenuOnClick
              leftSection={<IconExternalLink size={18} />}
            >
              {t("ohif")}
            </Menu.Item>
          ) : null}
          {failed ? <Menu.Label role="alert">{t("programFailed")}</Menu.Label> : null}
        </Menu.Dropdown>
      </Menu>
      <LinkDialog study={study} opened={linking} onClose={() => setLinking(false)} />
    </>
  );
}
