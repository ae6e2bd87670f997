// The renderer's magnifier, which fails when it is dragged before its own small picture is there.

import { getEnabledElement, type Types } from "@cornerstonejs/core";
import { MagnifyTool } from "@cornerstonejs/tools";

type Drag = (event: { readonly detail: { readonly element: HTMLDivElement } }) => void;

const VIEWPORT = "magnify-viewport";

export class SteadyMagnifier extends MagnifyTool {
  constructor(...options: ConstructorParameters<typeof MagnifyTool>) {
    super(...options);
    const internals = this as unknown as { _dragCallback: Drag };
    const drag = internals._dragCallback;
    internals._dragCallback = (event) => {
      const engine = getEnabledElement(event.detail.element)?.renderingEngine;
      const magnified = engine?.getViewport(VIEWPORT) as Types.IStackViewport | undefined;
      if (magnified?.getCornerstoneImage()) drag(event);
    };
  }
}
