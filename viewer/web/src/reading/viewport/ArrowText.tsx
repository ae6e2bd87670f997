// The question for the words beside an arrow.

import { Button, Modal, TextInput } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";

export interface ArrowQuestion {
  readonly current: string;
  readonly done: (text: string) => void;
}

const CHARACTERS_MAX = 80;

export function ArrowText({ question, onDone }: { readonly question: ArrowQuestion; readonly onDone: () => void }) {
  const { t } = useTranslation(["reading", "common"]);
  const [text, setText] = useState(question.current);
  const answer = (said: string) => {
    onDone();
    question.done(said);
  };
  return (
    <Modal opened onClose={() => answer(question.current)} title={t("mark.text")} centered size="sm">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          answer(text.trim());
        }}
      >
        <TextInput
          data-autofocus
          aria-label={t("mark.text")}
          maxLength={CHARACTERS_MAX}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
        <Button type="submit" mt="md" fullWidth>
          {t("mark.write")}
        </Button>
      </form>
    </Modal>
  );
}
