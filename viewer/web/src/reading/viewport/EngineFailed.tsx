// What stands where a picture would, in a browser that cannot draw it.

import { IconPhotoOff } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { Notice } from "../../ui/Notice";

/** `className`: of what covers the picture's place. */
export function EngineFailed({ className }: { readonly className: string | undefined }) {
  const { t } = useTranslation("reading");
  return (
    <div className={className}>
      <Notice urgent icon={<IconPhotoOff size={48} stroke={1.5} />} title={t("engineFailed")}>
        {t("engineFailedHint")}
      </Notice>
    </div>
  );
}
