// English, in one chunk of its own.

import common from "./en/common.json";
import display from "./en/display.json";
import findings from "./en/findings.json";
import header from "./en/header.json";
import pathology from "./en/pathology.json";
import reading from "./en/reading.json";
import review from "./en/review.json";
import sharing from "./en/sharing.json";
import shown from "./en/shown.json";
import signin from "./en/signin.json";
import slides from "./en/slides.json";
import upload from "./en/upload.json";
import volumes from "./en/volumes.json";
import worklist from "./en/worklist.json";

export const en = {
  common,
  header,
  signin,
  worklist,
  reading,
  review,
  slides,
  upload,
  volumes,
  sharing,
  findings,
  shown,
  display,
  pathology,
};
