// The tools on mouse, touch and pen: which one the left button has, and the ones that never change.

import {
  AngleTool,
  ArrowAnnotateTool,
  annotation,
  BidirectionalTool,
  CobbAngleTool,
  EllipticalROITool,
  LengthTool,
  PanTool,
  PlanarFreehandROITool,
  ProbeTool,
  RectangleROITool,
  StackScrollTool,
  Enums as ToolEnums,
  ToolGroupManager,
  WindowLevelTool,
  ZoomTool,
} from "@cornerstonejs/tools";
import type { MarkKind } from "../marks/keptFigures";
import type { MeasuringTool } from "../marks/marks";
import { SteadyMagnifier } from "./steadyMagnifier";

/** What the left button, or one finger, does. Names are keys of the language files (reading:tool.*). */
export type PrimaryTool = "windowLevel" | "scroll" | "pan" | "zoom" | "magnify" | "arrow" | MeasuringTool;

const { MouseBindings } = ToolEnums;

const MEASURING: Readonly<Record<MeasuringTool, string>> = {
  length: LengthTool.toolName,
  bidirectional: BidirectionalTool.toolName,
  angle: AngleTool.toolName,
  cobb: CobbAngleTool.toolName,
  probe: ProbeTool.toolName,
  rectangle: RectangleROITool.toolName,
  ellipse: EllipticalROITool.toolName,
  freehand: PlanarFreehandROITool.toolName,
};

const TOOL_NAMES: Readonly<Record<PrimaryTool, string>> = {
  windowLevel: WindowLevelTool.toolName,
  scroll: StackScrollTool.toolName,
  pan: PanTool.toolName,
  zoom: ZoomTool.toolName,
  magnify: SteadyMagnifier.toolName,
  arrow: ArrowAnnotateTool.toolName,
  ...MEASURING,
};

/** The renderer's names of what leaves a mark. */
export const TOOL_OF_KIND: Readonly<Record<MarkKind, string>> = { ...MEASURING, arrow: ArrowAnnotateTool.toolName };
export const KIND_OF_TOOL: Readonly<Record<string, MarkKind>> = Object.fromEntries(
  Object.entries(TOOL_OF_KIND).map(([kind, tool]) => [tool, kind as MarkKind]),
);

/** Every tool class that the renderer must know. */
export const TOOL_CLASSES = [
  ...[WindowLevelTool, StackScrollTool, PanTool, ZoomTool, SteadyMagnifier, ArrowAnnotateTool, LengthTool],
  ...[BidirectionalTool, AngleTool, CobbAngleTool, ProbeTool, RectangleROITool, EllipticalROITool],
  PlanarFreehandROITool,
];

/** Whether a tool makes numbers of pixels, which a preview does not have. */
export function measures(tool: PrimaryTool): tool is MeasuringTool {
  return tool in MEASURING;
}

/** Held whatever the primary tool is: right drag zooms, middle drag pans, two fingers do both. */
const HELD: Partial<Record<PrimaryTool, readonly object[]>> = {
  zoom: [{ mouseButton: MouseBindings.Secondary }, { numTouchPoints: 2 }],
  pan: [{ mouseButton: MouseBindings.Auxiliary }, { numTouchPoints: 2 }],
};

const PRIMARY = [{ mouseButton: MouseBindings.Primary }, { numTouchPoints: 1 }];
const MAGNIFIED = { magnifySize: 5, magnifyWidth: 280, magnifyHeight: 280 };

export interface Tools {
  readonly choose: (tool: PrimaryTool) => void;
  readonly destroy: () => void;
}

/** What a viewport knows that its tools do not. */
export interface ToolTexts {
  /** The lines beside a mark, given the stack's image and the mark's places in the renderer's world. */
  readonly describe: (tool: MeasuringTool, imageId: string, places: readonly number[][]) => string[];
  /** Ask somebody for the text of an arrow; `current` is what it says already. Nothing said: no arrow. */
  readonly ask: (current: string, done: (text: string) => void) => void;
}

interface MarkData {
  readonly handles?: { readonly points?: readonly number[][] };
  readonly contour?: { readonly polyline?: readonly number[][] };
}

function configurationOf(tool: PrimaryTool, texts: ToolTexts): object {
  if (tool === "magnify") return MAGNIFIED;
  if (tool === "arrow") {
    type Done = (text: string) => void;
    return {
      getTextCallback: (done: Done) => texts.ask("", done),
      changeTextCallback: (mark: { data: { label?: string } }, _: unknown, done: Done) =>
        texts.ask(mark.data.label ?? "", done),
    };
  }
  if (!measures(tool)) return {};
  return {
    getTextLines: (data: MarkData, targets: string | readonly string[]) => {
      const imageId = (typeof targets === "string" ? targets : (targets[0] ?? "")).replace(/^imageId:/, "");
      const places = tool === "freehand" ? data.contour?.polyline : data.handles?.points;
      return texts.describe(tool, imageId, places ?? []);
    },
    ...(tool === "freehand" ? { allowOpenContours: false, calculateStats: true } : {}),
  };
}

export function createTools(viewportId: string, engineId: string, texts: ToolTexts): Tools {
  const id = `tools-${viewportId}`;
  ToolGroupManager.destroyToolGroup(id);
  const group = ToolGroupManager.createToolGroup(id);
  for (const tool of Object.keys(TOOL_NAMES) as PrimaryTool[]) {
    group?.addTool(TOOL_NAMES[tool], configurationOf(tool, texts));
  }
  group?.addViewport(viewportId, engineId);
  return {
    choose: (chosen) => {
      for (const tool of Object.keys(TOOL_NAMES) as PrimaryTool[]) {
        const bindings = [...(tool === chosen ? PRIMARY : []), ...(HELD[tool] ?? [])];
        const name = TOOL_NAMES[tool];
        // A tool keeps its old bindings until it is passive, hence both.
        group?.setToolPassive(name, { removeAllBindings: true });
        if (bindings.length > 0) group?.setToolActive(name, { bindings });
      }
    },
    destroy: () => ToolGroupManager.destroyToolGroup(id),
  };
}

export function removeAllMarks(): void {
  annotation.state.removeAllAnnotations();
}

export function removeSelectedMarks(): void {
  for (const uid of annotation.selection.getAnnotationsSelected()) annotation.state.removeAnnotation(uid);
}
