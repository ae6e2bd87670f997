// The rows of the layout menu that hang a study: the protocols that fit it, and what is kept of them.

import { Menu } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { usePreferences } from "../../ui/preferences";
import type { Hanging } from "../arrangement/useArrangement";
import { KeyMark } from "./ToolMenu";

/** The protocol that a key goes on to. */
export function hangNext({ protocols, protocolId, onHang }: Hanging): void {
  const index = protocols.findIndex(({ id }) => id === protocolId);
  const next = protocols[(index + 1) % protocols.length];
  if (next) onHang(next);
}

export function HangingRows({ protocols, protocolId, kind, onHang }: Hanging) {
  const { t } = useTranslation("reading");
  const { automatic, defaults } = usePreferences((preferences) => preferences.hanging);
  const setHanging = usePreferences((preferences) => preferences.setHanging);
  const [modality = "", region] = kind.split(" ");
  const kindName = region ? `${modality} ${t(`hanging.region.${region as "chest"}`)}` : modality;
  const kept = protocolId !== undefined && defaults[kind] === protocolId;
  return (
    <>
      <Menu.Label>{t("hanging.title")}</Menu.Label>
      {protocols.map((protocol, index) => (
        <Menu.Item
          key={protocol.id}
          rightSection={index === 0 ? <KeyMark>⇧D</KeyMark> : null}
          aria-current={protocol.id === protocolId ? "true" : undefined}
          onClick={() => onHang(protocol)}
        >
          {t(`hanging.name.${protocol.id as "one"}`)}
        </Menu.Item>
      ))}
      <Menu.CheckboxItem checked={automatic} onChange={(checked) => setHanging({ automatic: checked, defaults })}>
        {t("hanging.automatic")}
      </Menu.CheckboxItem>
      {protocolId === undefined || kind === "" ? null : (
        <Menu.CheckboxItem
          checked={kept}
          onChange={(checked) =>
            setHanging({ automatic, defaults: withDefault(defaults, kind, checked ? protocolId : undefined) })
          }
        >
          {t("hanging.keep", { kind: kindName })}
        </Menu.CheckboxItem>
      )}
    </>
  );
}

type Defaults = Readonly<Record<string, string>>;

function withDefault(defaults: Defaults, kind: string, protocolId: string | undefined): Defaults {
  const { [kind]: _, ...others } = defaults;
  return protocolId === undefined ? others : { ...others, [kind]: protocolId };
}
