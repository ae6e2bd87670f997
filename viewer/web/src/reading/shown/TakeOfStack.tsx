// The command for the active pane of slices: its picture, or its stack as a film.

import { useTranslation } from "react-i18next";
import { usePreferences } from "../../ui/preferences";
import { captionOf } from "./captionOf";
import { instanceOf, type Subject } from "./subject";
import { TakePicture, type TakePictureProps } from "./TakePicture";

type TakeOfStackProps = Required<Pick<TakePictureProps, "study" | "film">>;

export function TakeOfStack({ study, film }: TakeOfStackProps) {
  const { t } = useTranslation(["shown", "reading"]);
  const { t: read } = useTranslation("reading");
  const language = usePreferences((preferences) => preferences.language);
  const { view } = film;
  const subject: Subject = {
    element: view.element,
    stage: view.element.closest("section") ?? view.element,
    instance: () => instanceOf(view.currentFrame()),
    caption: (named) => captionOf(view, named, language, t, read),
    name: () => `${view.currentFrame()?.modality ?? "image"}-${view.stack.get().wanted + 1}`,
    burnedIn: view.currentFrame()?.burnedInAnnotation ?? false,
  };
  return <TakePicture study={study} subject={subject} film={film} />;
}
