// How large the image is shown: pixel for pixel, or as large as in the patient where the display was measured.

import { Menu } from "@mantine/core";
import { IconAspectRatio, IconExternalLink } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { trueMagnification } from "../../engine/layers/displayedArea";
import type { StackView } from "../../engine/stack/stackView";
import { measuredPixelMm } from "../../ui/pixelSize";
import styles from "./Toolbar.module.css";
import { KeyMark, ToolMenu } from "./ToolMenu";

export function SizeMenu({ view }: { readonly view: StackView }) {
  const { t } = useTranslation("reading");
  return (
    <ToolMenu label={t("size")} icon={<IconAspectRatio size={20} />}>
      <Menu.Item rightSection={<KeyMark>O</KeyMark>} onClick={() => view.look.oneToOne()}>
        {t("oneToOne")}
      </Menu.Item>
      <TrueSize view={view} />
    </ToolMenu>
  );
}

/** Made whenever the menu opens, so that it knows what was measured in another window since. */
function TrueSize({ view }: { readonly view: StackView }) {
  const { t } = useTranslation("reading");
  const frame = view.currentFrame();
  const found = frame ? trueMagnification(frame, measuredPixelMm()) : "unsized";
  const refusal = typeof found === "number" ? undefined : found;
  return (
    <>
      <Menu.Item
        disabled={refusal !== undefined}
        rightSection={<KeyMark>⇧Z</KeyMark>}
        onClick={() => view.look.showTrueSize(measuredPixelMm())}
      >
        {t("trueSize")}
      </Menu.Item>
      {refusal ? <Menu.Label className={styles["why"]}>{t(`trueSizeTold.${refusal}`)}</Menu.Label> : null}
      {refusal === "unmeasured" ? (
        <Menu.Item
          component="a"
          href="/display"
          target="_blank"
          leftSection={<IconExternalLink size={16} aria-hidden />}
        >
          {t("measureDisplay")}
        </Menu.Item>
      ) : null}
    </>
  );
}
