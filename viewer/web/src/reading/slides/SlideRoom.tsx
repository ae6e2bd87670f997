// The work on whole slides: tools, a slide alone or beside another or the case's images, what is drawn on them, keys.

import { IconCircles, IconListSearch, IconStackPush } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { seriesUrl } from "../../api/dicomweb";
import type { StudyKey } from "../../api/queries";
import { bearerQuery, slideQuery } from "../../api/slides";
import type { Series } from "../../api/types";
import { isDataSet, text } from "../../engine/frames/dicomJson";
import type { StackView } from "../../engine/stack/stackView";
import { hold, leave } from "../../ui/leaving";
import { HeaderDrawer } from "../header/HeaderDrawer";
import readingStyles from "../Reading.module.css";
import type { RoomProps } from "../StackRoom";
import { Tool } from "../toolbar/Tool";
import { BulkPanel } from "./BulkPanel";
import { useCompanions, useImagesOf } from "./companions";
import { ImagesBeside } from "./ImagesBeside";
import { LabelPanel, LabelTool, useLabels } from "./LabelBeside";
import { MarkPanel } from "./MarkPanel";
import { PathologyPanel, type PathologySide, PathologyTools, useHasForms } from "./pathology/PathologyBeside";
import { ValidationBanner } from "./pathology/ValidationBanner";
import { SegmentPanel } from "./SegmentPanel";
import { SlideKeys } from "./SlideKeys";
import { SlidePlace } from "./SlidePlace";
import styles from "./SlideRoom.module.css";
import { SlideToolbar } from "./SlideToolbar";
import { SLIDES } from "./series";
import { unsavedOf } from "./slideMarks";
import { TakeOfSlide } from "./TakeOfSlide";
import { useLinkedSlides } from "./useLinkedSlides";
import { useSlideWork } from "./useSlideWork";

/** What is open at the side of the slide. */
type Side = "marks" | "label" | PathologySide;
/** What is listed of what others found. */
type Over = "bulk" | "segments";

export function SlideRoom(room: RoomProps) {
  const { t } = useTranslation(["slides", "header"]);
  const { study, series, current } = room;
  const [besideUid, setBeside] = useState<string>();
  const [linked, setLinked] = useState(true);
  const [atSecond, setAtSecond] = useState(false);
  const [side, setSide] = useState<Side>();
  const [over, setOver] = useState<Over>();
  const [header, setHeader] = useState(false);
  const [images, setImages] = useState<StackView>();
  const hasForms = useHasForms();
  const standing = useQuery(slideQuery(study, current.seriesInstanceUID)).data?.validation;
  const toggle = (one: Side) => setSide(side === one ? undefined : one);
  const listed = side === "marks";
  const onListed = (opened: boolean) => setSide(opened ? "marks" : undefined);
  const onForm = () => hasForms && toggle("form");
  const companions = useCompanions(study, series);
  const beside = companions.slides.find((one) => one.seriesInstanceUID === besideUid);
  const pictures = useImagesOf(companions, study, besideUid);
  const first = useSlideWork(study, current);
  const second = useSlideWork(study, beside);
  const work = beside && atSecond ? second : first;
  const { bench, bulk, segments } = work;
  const worked = work === second && beside ? beside : current;
  const labels = useLabels(study, worked);
  const onLabel = () => labels && toggle("label");
  const onSave = () => {
    setSide("marks"); // it says whether that succeeded
    if (work.unsaved) void work.marks?.keeping?.save();
  };
  const hasBulk = bulk.groups.length > 0 || bulk.unread > 0;
  const hasSegments = segments.all.length > 0;
  const onGrouped = () => hasBulk && setOver(over === "bulk" ? undefined : "bulk");
  const onSegments = () => hasSegments && setOver(over === "segments" ? undefined : "segments");
  const onBeside = (uid: string | undefined) => {
    if (second.unsaved) leave(() => setBeside(uid), [SLIDES]);
    else setBeside(uid);
  };
  const comparing = { study, companions, beside, besideUid, onBeside, linked, onLinked: setLinked };

  useLinkedSlides(first.bench?.view, second.bench?.view, linked);
  useEffect(() => {
    hold(SLIDES, unsavedOf([first.marks, second.marks]));
    return () => hold(SLIDES, undefined);
  });

  return (
    <div className={readingStyles["work"]}>
      {bench ? (
        <SlideToolbar bench={bench} listed={listed} onListed={onListed} comparing={comparing}>
          {labels ? <LabelTool pressed={side === "label"} onClick={onLabel} /> : null}
          <Tool
            label={t("header:title")}
            hint="Shift+T"
            icon={<IconListSearch size={20} />}
            onClick={() => setHeader(true)}
          />
          <TakeOfSlide study={study} series={worked} view={bench.view} />
          {hasBulk ? (
            <Tool
              label={t("bulk.title")}
              hint="B"
              icon={<IconCircles size={20} />}
              pressed={over === "bulk"}
              onClick={onGrouped}
            />
          ) : null}
          {hasSegments ? (
            <Tool
              label={t("segments.title")}
              hint="S"
              icon={<IconStackPush size={20} />}
              pressed={over === "segments"}
              onClick={onSegments}
            />
          ) : null}
          <PathologyTools side={side} onSide={toggle} standing={standing} />
        </SlideToolbar>
      ) : (
        <div className={readingStyles["toolbarPlace"]} />
      )}
      <ValidationBanner standing={standing} onOpen={() => setSide("validation")} />
      <div className={styles["stage"]}>
        <SlidePlace
          key={current.seriesInstanceUID}
          study={study}
          series={current}
          active={beside || pictures ? !atSecond : undefined}
          onActive={() => setAtSecond(false)}
          onBench={first.onBench}
        />
        {beside ? (
          <SlidePlace
            key={`beside ${beside.seriesInstanceUID}`}
            study={study}
            series={beside}
            active={atSecond}
            onActive={() => setAtSecond(true)}
            onBench={second.onBench}
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
        {hasBulk && over === "bulk" ? <BulkPanel study={study} bulk={bulk} /> : null}
        {hasSegments && over === "segments" ? <SegmentPanel segments={segments} /> : null}
        {bench && listed ? <MarkPanel bench={bench} work={work} /> : null}
        {labels && side === "label" ? (
          <LabelPanel study={study} series={worked} labels={labels} onClose={() => setSide(undefined)} />
        ) : null}
        <PathologyPanel study={study} side={side} onClose={() => setSide(undefined)} />
      </div>
      <HeaderDrawer url={useInstanceOf(study, worked)} opened={header} onClose={() => setHeader(false)} />
      <SlideKeys
        {...room}
        bench={bench}
        listed={listed}
        onListed={onListed}
        onGrouped={onGrouped}
        onSegments={onSegments}
        onAllSegments={segments.toggleAll}
        onSave={onSave}
        onForm={onForm}
        onLabel={onLabel}
        onHeader={() => setHeader(true)}
        comparing={comparing}
        images={pictures && atSecond ? images : undefined}
      />
    </div>
  );
}

/** The address of one instance of a slide; undefined until it is known. */
function useInstanceOf(study: StudyKey, { seriesInstanceUID }: Series): string | undefined {
  const [instance] = useQuery(bearerQuery(study, seriesInstanceUID)).data ?? [];
  const uid = isDataSet(instance) ? text(instance, "00080018") : undefined;
  return uid && `${seriesUrl(study, seriesInstanceUID)}/instances/${uid}`;
}
