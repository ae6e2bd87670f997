// Files put in at this site: dropped or chosen, with what became of each, and of the studies that they made.

import { Alert, Button, Progress } from "@mantine/core";
import { IconFolderOpen, IconUpload } from "@tabler/icons-react";
import { type DragEvent, useEffect, useRef, useState, useSyncExternalStore } from "react";
import { useTranslation } from "react-i18next";
import { beginSlide, forgetSlide, sendPiece, slideOnItsWay, slidesOnTheirWay } from "../api/slideUploads";
import { sendFiles, studiesOfKnown } from "../api/uploads";
import { holdTab } from "../ui/unload";
import { type Chosen, FILES_MAX, fromDrop, fromInput } from "./chosen";
import { FileList } from "./FileList";
import { type Fingerprint, fingerprintOf } from "./fingerprint";
import { type UploadNode, UploadQueue } from "./queue";
import { SlideUploads } from "./SlideUploads";
import { StudyFate } from "./StudyFate";
import type { Grouped } from "./severalFiles";
import { type SlideNode, type Progress as SlideProgress, SlideSender } from "./slideSender";
import styles from "./Upload.module.css";
import { WrapFiles } from "./WrapFiles";

export interface UploadProps {
  readonly onBack: () => void;
  readonly onOpen: (studyInstanceUid: string) => void;
}

export function Upload({ onBack, onOpen }: UploadProps) {
  const { t } = useTranslation(["upload", "common"]);
  const [senders, setSenders] = useState<readonly SlideSender[]>([]);
  const [queue] = useState(() => new UploadQueue(NODE, (slide) => setSenders((before) => withSlide(before, slide))));
  const { items, bytes, bytesSent, studies } = useSyncExternalStore(queue.subscribe, queue.uploads);
  const [isOver, setOver] = useState(false);
  const [isCut, setCut] = useState(false);
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);

  const add = (chosen: readonly Chosen[]) => {
    setCut(chosen.length >= FILES_MAX);
    void queue.add(chosen);
  };
  const onDrop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    void fromDrop(event.dataTransfer).then(add);
  };
  const onChosen = (input: HTMLInputElement) => {
    add(fromInput(input.files ?? []));
    input.value = "";
  };
  const latest = useRef(senders);
  latest.current = senders;
  useEffect(
    () => () => {
      for (const sender of latest.current) sender.stop();
    },
    [],
  );
  const isBusy = items.some((item) => item.state === "waiting" || item.state === "sending");
  useEffect(() => {
    holdTab("upload", isBusy);
    return () => holdTab("upload", false);
  }, [isBusy]);
  const failed = items.filter((item) => item.state === "failed").length;

  return (
    <div className={styles["page"]}>
      <Button variant="default" size="compact-sm" onClick={onBack}>
        {t("common:back")}
      </Button>
      <h1 className={styles["title"]}>{t("title")}</h1>
      <p className={styles["hint"]}>{t("why")}</p>
      <section
        className={styles["zone"]}
        data-over={isOver}
        aria-label={t("zone")}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={onDrop}
      >
        <IconUpload size={36} stroke={1.5} aria-hidden />
        <p>{t("drop")}</p>
        <div className={styles["choices"]}>
          <Button onClick={() => files.current?.click()}>{t("chooseFiles")}</Button>
          <Button variant="default" leftSection={<IconFolderOpen size={18} />} onClick={() => folder.current?.click()}>
            {t("chooseFolder")}
          </Button>
        </div>
        <input
          ref={files}
          type="file"
          multiple
          hidden
          aria-label={t("chooseFiles")}
          onChange={(event) => onChosen(event.currentTarget)}
        />
        <input
          ref={folder}
          type="file"
          hidden
          aria-label={t("chooseFolder")}
          {...{ webkitdirectory: "" }}
          onChange={(event) => onChosen(event.currentTarget)}
        />
      </section>
      {isCut ? <Alert color="yellow">{t("cut", { count: FILES_MAX })}</Alert> : null}
      {isBusy ? <Progress value={bytes > 0 ? (100 * bytesSent) / bytes : 0} aria-label={t("progress")} /> : null}
      {items.length > 0 ? (
        <p role="status" className={styles["count"]}>
          {t("counts", {
            stored: items.filter((item) => item.state === "stored" || item.state === "here").length,
            passed: items.filter((item) => item.state === "passed").length,
            failed,
            count: items.length,
          })}
        </p>
      ) : null}
      {failed > 0 && !isBusy ? (
        <Button variant="light" onClick={() => queue.retry()}>
          {t("again", { count: failed })}
        </Button>
      ) : null}
      {studies.length > 0 ? (
        <section aria-labelledby="fates">
          <h2 id="fates" className={styles["subtitle"]}>
            {t("studies")}
          </h2>
          <ul className={styles["list"]}>
            {studies.map((uid) => (
              <StudyFate key={uid} studyInstanceUid={uid} onOpen={() => onOpen(uid)} />
            ))}
          </ul>
        </section>
      ) : null}
      <SlideUploads senders={senders} onOpen={onOpen} />
      <FileList items={items} />
      <WrapFiles onOpen={onOpen} />
    </div>
  );
}

const NODE: UploadNode = { known, send: sendFiles };

async function known(files: readonly File[]): Promise<readonly (string | undefined)[]> {
  const prints: (Fingerprint | undefined)[] = [];
  for (const file of files) prints.push(await fingerprintOf(file));
  const asked = prints.filter((print) => print !== undefined);
  const studies = asked.length > 0 ? await studiesOfKnown(asked) : [];
  return prints.map((print) => (print ? studies[asked.indexOf(print)] : undefined));
}

const SLIDE_NODE: SlideNode = {
  begin: beginSlide,
  list: slidesOnTheirWay,
  look: slideOnItsWay,
  forget: forgetSlide,
  send: sendPiece,
  wait: (milliseconds) => new Promise((done) => setTimeout(done, milliseconds)),
};

const OVER: ReadonlySet<SlideProgress["step"]> = new Set(["failed", "cancelled"]);

/** A file that is there already is not sent twice, unless it failed or somebody cancelled it. */
function withSlide(senders: readonly SlideSender[], { slide: file, lacks }: Grouped): readonly SlideSender[] {
  const isSame = (one: SlideSender) => one.file.name === file.name && one.file.size === file.size;
  const others = senders.filter((one) => one.file.name !== file.name || !OVER.has(one.progress.get().step));
  if (others.some(isSame)) return senders;
  const sender = new SlideSender(file, SLIDE_NODE);
  if (lacks) sender.refuse(lacks === "folder" ? "noFolder" : "noSlide");
  else void sender.resume();
  return [...others, sender];
}
