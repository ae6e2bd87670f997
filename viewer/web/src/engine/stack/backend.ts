// Which renderer to use: the CPU's whenever WebGL is absent or only a software rasteriser stands behind it.
// Measured on two cores without a GPU: 60 frames/s on the CPU path, 7 to 15 through software WebGL.

export type Backend = "cpu" | "gpu";

/** What a probe of the browser found; `renderer` is the name WebGL gives itself. */
export interface GraphicsProbe {
  readonly webgl: boolean;
  readonly renderer: string;
}

const SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render|warp|mesa offscreen/i;

/** `wish` is what somebody set for this browser; it is heard unless it cannot be done. */
export function chooseBackend(probe: GraphicsProbe, wish?: string | null): Backend {
  if (wish === "cpu") return "cpu";
  if (wish === "gpu" && probe.webgl) return "gpu";
  return probe.webgl && !SOFTWARE.test(probe.renderer) ? "gpu" : "cpu";
}

/** A driver that lies about itself can be overruled by hand: localStorage `vienanh.backend`, "cpu" or "gpu". */
export function backendWish(): string | null {
  try {
    return localStorage.getItem("vienanh.backend");
  } catch {
    return null;
  }
}

/** Ask the browser; the context is given back at once, because weak machines have few. */
export function probeGraphics(): GraphicsProbe {
  try {
    const context = document.createElement("canvas").getContext("webgl2");
    if (!context) return { webgl: false, renderer: "" };
    const info = context.getExtension("WEBGL_debug_renderer_info");
    const renderer: unknown = context.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : context.RENDERER);
    context.getExtension("WEBGL_lose_context")?.loseContext();
    return { webgl: true, renderer: String(renderer) };
  } catch {
    return { webgl: false, renderer: "" };
  }
}
