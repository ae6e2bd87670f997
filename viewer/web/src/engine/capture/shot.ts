// The picture of a pane as it is seen: what the renderer painted, what lies over it, and below it what it is.

/** Of a drawing that lies over the picture rather than an icon on it. */
const COVERS = 0.9;
/** What a style sheet gives to lines, which a copy would lack. */
const STYLES = [
  ...["stroke", "stroke-width", "stroke-dasharray", "fill", "opacity", "visibility", "display"],
  ...["vector-effect", "paint-order", "font", "text-anchor"],
] as const;
const SVG = "http://www.w3.org/2000/svg";

/** A canvas of an element with all canvases that lie over it, and its drawn marks if they are wanted; device pixels. */
export async function shotOf(element: HTMLElement, stage: Element, marks: boolean): Promise<HTMLCanvasElement> {
  const ratio = window.devicePixelRatio;
  const box = element.getBoundingClientRect();
  const shot = document.createElement("canvas");
  shot.width = Math.round(box.width * ratio);
  shot.height = Math.round(box.height * ratio);
  const context = shot.getContext("2d");
  if (!context) return shot;
  // What no canvas covers is as on the screen; where that is nothing, black.
  for (const ground of ["#000", getComputedStyle(element).backgroundColor]) {
    context.fillStyle = ground;
    context.fillRect(0, 0, shot.width, shot.height);
  }
  const put = (source: CanvasImageSource, of: Element) => {
    const { left, top, width, height } = of.getBoundingClientRect();
    context.drawImage(source, (left - box.left) * ratio, (top - box.top) * ratio, width * ratio, height * ratio);
  };
  for (const canvas of stage.querySelectorAll("canvas")) {
    if (isOver(canvas, box) && canvas.width > 0 && canvas.height > 0) put(canvas, canvas);
  }
  if (!marks) return shot;
  for (const svg of stage.querySelectorAll("svg")) if (isOver(svg, box)) put(await pictureOf(svg, ratio), svg);
  return shot;
}

function isOver(one: Element, box: DOMRect): boolean {
  const { width, height } = one.getBoundingClientRect();
  return one.checkVisibility() && width >= box.width * COVERS && height >= box.height * COVERS;
}

async function pictureOf(svg: SVGSVGElement, ratio: number): Promise<HTMLImageElement> {
  const { width, height } = svg.getBoundingClientRect();
  const copy = svg.cloneNode(true) as SVGSVGElement;
  const [originals, copies] = [svg.querySelectorAll<SVGElement>("*"), copy.querySelectorAll<SVGElement>("*")];
  for (const [index, one] of copies.entries()) {
    const original = originals[index];
    if (!original) continue;
    const style = getComputedStyle(original);
    for (const name of STYLES) one.style.setProperty(name, style.getPropertyValue(name));
  }
  copy.setAttribute("xmlns", SVG);
  copy.setAttribute("width", String(width * ratio));
  copy.setAttribute("height", String(height * ratio));
  copy.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const picture = new Image();
  picture.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(new XMLSerializer().serializeToString(copy))}`;
  await picture.decode();
  return picture;
}

export interface Caption {
  /** What it must not be taken for. */
  readonly warning: string;
  readonly lines: readonly string[];
  /** A bar of this many CSS pixels of the picture, and what it is long; undefined when the picture tells no lengths. */
  readonly bar: { readonly length: number; readonly text: string } | undefined;
}

const LINE = 20;
const EDGE = 10;
const FONT = "system-ui, 'Segoe UI', Roboto, 'Noto Sans', sans-serif";

/** The picture over its caption; what is too long for a line goes on in the next. */
export function captioned(shot: HTMLCanvasElement, { warning, lines, bar }: Caption): HTMLCanvasElement {
  const ratio = window.devicePixelRatio;
  const whole = document.createElement("canvas");
  const context = whole.getContext("2d");
  if (!context) return whole;
  const width = shot.width / ratio - 2 * EDGE;
  const bold = `bold 15px ${FONT}`;
  const plain = `14px ${FONT}`;
  const told = [
    ...wrapped(context, warning, bold, width).map((text) => ({ text, font: bold, color: "#ffd65c" })),
    ...lines
      .flatMap((line) => wrapped(context, line, plain, width))
      .map((text) => ({ text, font: plain, color: "#fff" })),
  ];
  whole.width = shot.width;
  whole.height = shot.height + Math.round((told.length * LINE + 2 * EDGE) * ratio);
  context.fillStyle = "#000";
  context.fillRect(0, 0, whole.width, whole.height);
  context.drawImage(shot, 0, 0);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  const below = shot.height / ratio;
  context.textBaseline = "middle";
  for (const [index, { text, font, color }] of told.entries()) {
    context.font = font;
    context.fillStyle = color;
    context.fillText(text, EDGE, below + EDGE + (index + 0.5) * LINE);
  }
  if (bar) drawBar(context, bar, (shot.width / ratio - bar.length) / 2, below - EDGE);
  return whole;
}

function drawBar(
  context: CanvasRenderingContext2D,
  { length, text }: NonNullable<Caption["bar"]>,
  left: number,
  bottom: number,
): void {
  context.font = `bold 14px ${FONT}`;
  context.textAlign = "center";
  // Black under white, so that it is seen on any picture.
  for (const [color, width] of [
    ["#000", 5],
    ["#fff", 2],
  ] as const) {
    context.strokeStyle = color;
    context.lineWidth = width;
    context.beginPath();
    context.moveTo(left, bottom - 6);
    context.lineTo(left, bottom);
    context.lineTo(left + length, bottom);
    context.lineTo(left + length, bottom - 6);
    context.stroke();
  }
  context.lineWidth = 4;
  context.strokeStyle = "#000";
  context.strokeText(text, left + length / 2, bottom - 16);
  context.fillStyle = "#fff";
  context.fillText(text, left + length / 2, bottom - 16);
}

function wrapped(context: CanvasRenderingContext2D, text: string, font: string, width: number): readonly string[] {
  context.font = font;
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    const longer = last === undefined ? word : `${last} ${word}`;
    if (last === undefined || context.measureText(longer).width > width) lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  return lines;
}
