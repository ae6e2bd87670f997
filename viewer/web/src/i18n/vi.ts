// Vietnamese, the source: listed file by file, since the types of all words come from it.

import common from "./vi/common.json";
import display from "./vi/display.json";
import findings from "./vi/findings.json";
import header from "./vi/header.json";
import pathology from "./vi/pathology.json";
import reading from "./vi/reading.json";
import review from "./vi/review.json";
import sharing from "./vi/sharing.json";
import shown from "./vi/shown.json";
import signin from "./vi/signin.json";
import slides from "./vi/slides.json";
import upload from "./vi/upload.json";
import volumes from "./vi/volumes.json";
import worklist from "./vi/worklist.json";
import zones from "./vi/zones.json";

export const vi = {
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
  zones,
};
