// The renderer's magnifier, which fails when it is dragged before its own small picture is there, and which knows of the
// greys of the picture that it magnifies nothing but the ends of their range.

import { getEnabledElement, type Types } from "@cornerstonejs/core";
import { MagnifyTool } from "@cornerstonejs/tools";
import { drawCurve, drawnCurveOf } from "./internals";

type Drag = (event: { readonly detail: { readonly element: HTMLDivElement } }) => void;

/** Fields of the pinned version's tool; tests/browser watches that they still mean this. */
interface MagnifierInternals {
  _dragCallback: Drag;
  _createMagnificationViewport: () => void;
  readonly editData?: { readonly enabledElement: Types.IEnabledElement };
}

const VIEWPORT = "magnify-viewport";

/** The magnifier's small picture; undefined while there is none. */
function magnifiedIn(engine: Types.IRenderingEngine | undefined): Types.IStackViewport | undefined {
  return engine?.getViewport(VIEWPORT) as Types.IStackViewport | undefined;
}

export class SteadyMagnifier extends MagnifyTool {
  constructor(...options: ConstructorParameters<typeof MagnifyTool>) {
    super(...options);
    const internals = this as unknown as MagnifierInternals;
    const [drag, create] = [internals._dragCallback, internals._createMagnificationViewport];
    internals._dragCallback = (event) => {
      const engine = getEnabledElement(event.detail.element)?.renderingEngine;
      if (magnifiedIn(engine)?.getCornerstoneImage()) drag(event);
    };
    internals._createMagnificationViewport = () => {
      create();
      const { renderingEngine, viewport } = internals.editData?.enabledElement ?? {};
      const magnified = magnifiedIn(renderingEngine);
      if (magnified && viewport) drawAsIn(viewport, magnified);
    };
  }
}

/** Have the small picture's greys made as the large one's are; the tool gives it their range once its image is there. */
function drawAsIn(viewport: object, magnified: Types.IStackViewport): void {
  const given = magnified.setProperties.bind(magnified);
  magnified.setProperties = (...properties) => {
    given(...properties);
    const asked = drawnCurveOf(viewport);
    if (asked?.curve) drawCurve(magnified, asked.curve, asked.inverted);
  };
}
