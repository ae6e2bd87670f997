// The work on whole slides: tools, a slide alone or beside another or the case's images, what is drawn on them, keys.

import { IconCertificate, IconCircles, IconClipboardText } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { sessionQuery } from "../../api/queries";
import { slideQuery } from "../../api/slides";
import type { StackView } from "../../engine/stackView";
import { hold, leave } from "../../ui/leaving";
import readingStyles from "../Reading.module.css";
import type { RoomProps } from "../StackRoom";
import { Tool } from "../Tool";
import { BulkPanel } from "./BulkPanel";
import { useCompanions, useImagesOf } from "./companions";
import { ImagesBeside } from "./ImagesBeside";
import { MarkPanel } from "./MarkPanel";
import { FormPanel } from "./pathology/FormPanel";
import { ValidationBanner } from "./pathology/ValidationBanner";
import { ValidationPanel } from "./pathology/ValidationPanel";
import { SlideKeys } from "./SlideKeys";
import { SlidePlace } from "./SlidePlace";
import styles from "./SlideRoom.module.css";
import { SlideToolbar } from "./SlideToolbar";
import { SLIDES } from "./series";
import { useBulk } from "./useBulk";
import { unsavedOf, useKeptMarks } from "./useKeptMarks";
import { useLinkedSlides } from "./useLinkedSlides";
import type { Bench } from "./useSlideView";

/** What is open at the side of the slide. */
type Side = "marks" | "form" | "validation";

export function SlideRoom(room: RoomProps) {
  const { t } = useTranslation(["slides", "pathology"]);
  const { study, series, current } = room;
  const [first, setFirst] = useState<Bench>();
  const [second, setSecond] = useState<Bench>();
  const [besideUid, setBeside] = useState<string>();
  const [linked, setLinked] = useState(true);
  const [atSecond, setAtSecond] = useState(false);
  const [side, setSide] = useState<Side>();
  const [told, setTold] = useState(false);
  // Another's link is no account: neither forms nor records are its.
  const isPerson = !useQuery(sessionQuery).data?.study;
  const standing = useQuery(slideQuery(study, current.seriesInstanceUID)).data?.validation;
  const toggle = (one: Side) => setSide(side === one ? undefined : one);
  const listed = side === "marks";
  const onListed = (opened: boolean) => setSide(opened ? "marks" : undefined);
  const onForm = () => isPerson && toggle("form");
  const [images, setImages] = useState<StackView>();
  const companions = useCompanions(study, series);
  const beside = companions.slides.find((one) => one.seriesInstanceUID === besideUid);
  const pictures = useImagesOf(companions, study, besideUid);
  const bench = beside && atSecond ? second : first;
  const keptFirst = useKeptMarks(study, current.seriesInstanceUID, first);
  const keptSecond = useKeptMarks(study, besideUid ?? "", beside ? second : undefined);
  const kept = bench === first ? keptFirst : keptSecond;
  const bulkFirst = useBulk(study, current.seriesInstanceUID, first);
  const bulkSecond = useBulk(study, besideUid ?? "", beside ? second : undefined);
  const bulk = bench === first ? bulkFirst : bulkSecond;
  const [grouped, setGrouped] = useState(false);
  const hasBulk = bulk.groups.length > 0 || bulk.unread > 0;
  const onGrouped = () => hasBulk && setGrouped(!grouped);
  const onBeside = (uid: string | undefined) => {
    if (keptSecond.unsaved) leave(() => setBeside(uid), [SLIDES]);
    else setBeside(uid);
  };
  const comparing = { companions, beside, besideUid, onBeside, linked, onLinked: setLinked };

  useLinkedSlides(first?.view, second?.view, linked);
  useEffect(() => {
    hold(SLIDES, unsavedOf([keptFirst, keptSecond]));
    return () => hold(SLIDES, undefined);
  });

  return (
    <div className={readingStyles["work"]}>
      {bench ? (
        <SlideToolbar bench={bench} listed={listed} onListed={onListed} comparing={comparing}>
          {hasBulk ? (
            <Tool
              label={t("bulk.title")}
              hint="B"
              icon={<IconCircles size={20} />}
              pressed={grouped}
              onClick={onGrouped}
            />
          ) : null}
          {isPerson ? (
            <Tool
              label={t("pathology:formTitle")}
              hint="Y"
              icon={<IconClipboardText size={20} />}
              pressed={side === "form"}
              onClick={onForm}
            />
          ) : null}
          {standing ? (
            <Tool
              label={t("pathology:validation")}
              icon={<IconCertificate size={20} />}
              pressed={side === "validation"}
              onClick={() => toggle("validation")}
            />
          ) : null}
        </SlideToolbar>
      ) : (
        <div className={readingStyles["toolbarPlace"]} />
      )}
      {standing === "none" && !told ? (
        <ValidationBanner onOpen={() => setSide("validation")} onLater={() => setTold(true)} />
      ) : null}
      <div className={styles["stage"]}>
        <SlidePlace
          key={current.seriesInstanceUID}
          study={study}
          series={current}
          active={beside || pictures ? !atSecond : undefined}
          onActive={() => setAtSecond(false)}
          onBench={setFirst}
        />
        {beside ? (
          <SlidePlace
            key={`beside ${beside.seriesInstanceUID}`}
            study={study}
            series={beside}
            active={atSecond}
            onActive={() => setAtSecond(true)}
            onBench={setSecond}
          />
        ) : null}
        {pictures ? (
          <ImagesBeside
            key={`images ${besideUid}`}
            choice={pictures}
            series={series}
            active={atSecond}
            onActive={() => setAtSecond(true)}
            onView={setImages}
          />
        ) : null}
        {hasBulk && grouped ? <BulkPanel study={study} bulk={bulk} /> : null}
        {bench && listed ? <MarkPanel bench={bench} kept={kept} /> : null}
        {side === "form" ? <FormPanel study={study} onClose={() => setSide(undefined)} /> : null}
        {side === "validation" ? <ValidationPanel onClose={() => setSide(undefined)} /> : null}
      </div>
      <SlideKeys
        {...room}
        bench={bench}
        listed={listed}
        onListed={onListed}
        onGrouped={onGrouped}
        onForm={onForm}
        comparing={comparing}
        images={pictures && atSecond ? images : undefined}
      />
    </div>
  );
}
