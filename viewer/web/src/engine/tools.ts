// The tools on mouse, touch and pen: which one the left button has, and the ones that never change.

import {
  annotation,
  LengthTool,
  PanTool,
  StackScrollTool,
  Enums as ToolEnums,
  ToolGroupManager,
  WindowLevelTool,
  ZoomTool,
} from "@cornerstonejs/tools";

/** What the left button, or one finger, does. Names are keys of the language files (reading:tool.*). */
export type PrimaryTool = "windowLevel" | "scroll" | "pan" | "zoom" | "length";

const { MouseBindings } = ToolEnums;

const TOOL_NAMES: Readonly<Record<PrimaryTool, string>> = {
  windowLevel: WindowLevelTool.toolName,
  scroll: StackScrollTool.toolName,
  pan: PanTool.toolName,
  zoom: ZoomTool.toolName,
  length: LengthTool.toolName,
};

/** Whether a tool makes numbers of pixels, which a preview does not have. */
export function measures(tool: PrimaryTool): boolean {
  return tool === "length";
}

/** Held whatever the primary tool is: right drag zooms, middle drag pans, two fingers do both. */
const HELD: Partial<Record<PrimaryTool, readonly object[]>> = {
  zoom: [{ mouseButton: MouseBindings.Secondary }, { numTouchPoints: 2 }],
  pan: [{ mouseButton: MouseBindings.Auxiliary }, { numTouchPoints: 2 }],
};

const PRIMARY = [{ mouseButton: MouseBindings.Primary }, { numTouchPoints: 1 }];

export interface Tools {
  readonly choose: (tool: PrimaryTool) => void;
  readonly destroy: () => void;
}

/** Lengths are written by `describe`, given the stack's image and the two ends in the renderer's world. */
export type DescribeLength = (imageId: string, ends: readonly [number[], number[]]) => string;

interface LengthData {
  readonly handles?: { readonly points?: readonly number[][] };
}

function linesOf(data: LengthData, targetId: string, describe: DescribeLength): string[] {
  const [from, to] = data.handles?.points ?? [];
  const imageId = targetId.replace(/^imageId:/, "");
  return from && to ? [describe(imageId, [from, to])] : [];
}

export function createTools(viewportId: string, engineId: string, describe: DescribeLength): Tools {
  const id = `tools-${viewportId}`;
  ToolGroupManager.destroyToolGroup(id);
  const group = ToolGroupManager.createToolGroup(id);
  for (const tool of Object.keys(TOOL_NAMES) as PrimaryTool[]) {
    const lines = (data: LengthData, targetId: string) => linesOf(data, targetId, describe);
    group?.addTool(TOOL_NAMES[tool], tool === "length" ? { getTextLines: lines } : {});
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
