// Starting Cornerstone3D once: backend, loader, tools, memory. Nothing outside this folder knows it by name.

import { cache, init as initCore, setUseCPURendering } from "@cornerstonejs/core";
import { init as initDecoders } from "@cornerstonejs/dicom-image-loader";
import { addTool, annotation, init as initTools } from "@cornerstonejs/tools";
import { registerLoader } from "../loading/loader";
import { type Backend, backendWish, chooseBackend, probeGraphics } from "./backend";
import { TOOL_CLASSES } from "./tools";

const MEBIBYTE = 1024 * 1024;
/** Decoded pixels kept, bytes: an eighth of what the machine says it has, since the browser wants the rest. */
const CACHE_BYTES_MAX = 1024 * MEBIBYTE;
const CACHE_BYTES_MIN = 256 * MEBIBYTE;
const DECODERS_MAX = 4;

let started: Backend | undefined;

function cacheBytes(): number {
  const gibibytes = (navigator as Navigator & { readonly deviceMemory?: number }).deviceMemory ?? 4;
  return Math.min(Math.max((gibibytes * 1024 * MEBIBYTE) / 8, CACHE_BYTES_MIN), CACHE_BYTES_MAX);
}

function styleMarks(): void {
  const style = annotation.config.style;
  const defaults = style.getDefaultToolStyles();
  style.setDefaultToolStyles({
    ...defaults,
    global: {
      ...defaults.global,
      color: "rgb(255, 214, 92)",
      colorHighlighted: "rgb(120, 240, 240)",
      colorSelected: "rgb(120, 240, 240)",
      lineWidth: "1.5",
      textBoxFontFamily: "system-ui, Segoe UI, Roboto, sans-serif",
      textBoxFontSize: "15px",
      textBoxColor: "rgb(255, 230, 150)",
      textBoxColorHighlighted: "rgb(170, 250, 250)",
      textBoxColorSelected: "rgb(170, 250, 250)",
      textBoxBackground: "rgba(0, 0, 0, 0.65)",
    },
  });
}

/** Start once; later calls answer which backend draws. */
export function startCornerstone(): Backend {
  if (started) return started;
  const backend = chooseBackend(probeGraphics(), backendWish());
  initCore({ rendering: { useCPURendering: backend === "cpu" }, debug: {} });
  if (backend === "cpu") setUseCPURendering(true, false);
  initDecoders({ maxWebWorkers: Math.min(Math.max(navigator.hardwareConcurrency - 1, 1), DECODERS_MAX) });
  registerLoader(backend === "cpu");
  initTools();
  for (const tool of TOOL_CLASSES) addTool(tool);
  styleMarks();
  cache.setMaxCacheSize(cacheBytes());
  started = backend;
  return backend;
}
