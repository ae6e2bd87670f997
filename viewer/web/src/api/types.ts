// The names by which the room knows what the node answers; the shapes are generated (schema.ts).

import type { SeriesItem, SessionInfo, StudyItem, TraceItem } from "./schema";

export type {
  Box,
  BulkFigure,
  BulkGroup,
  BulkGroups,
  Decided,
  Dictionary,
  DisplayCheck,
  DisplayItem,
  DraftItem,
  DraftKey,
  DrawnSeries,
  KeyImage,
  KeyImageChoice,
  Launch,
  LinkItem,
  MadeLink,
  NewPathologyForm,
  NewValidationCase,
  NodeInfo,
  OthersMark,
  OthersMarksDocument,
  PathologyField,
  PathologyForm,
  PixelPicture,
  PixelReview,
  PixelZone,
  PreferencesItem,
  ProgramAddress,
  ReaderValidation,
  RecordedCheck,
  ReportContent,
  ReviewSheet,
  ShownSeries,
  SlideAnnotations,
  SlideItem,
  SlideLabel,
  SlideMark,
  SlideSegment,
  SlideSegmentation,
  SlideSegmentations,
  StudyKeyImages,
  StudyMark,
  StudyMarks,
  StudyOthersMarks,
  TakenPicture,
  Worklist,
} from "./schema";
export type Session = SessionInfo;
export type Study = StudyItem;
export type Series = SeriesItem;
export type TraceEvent = TraceItem;
export type Priority = StudyItem["priority"];
