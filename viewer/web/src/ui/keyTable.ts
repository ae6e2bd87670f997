// Every deed of every room that has a key, by the key that it has until a person gives it another one (as `chordOf` says
// it). What hands do otherwise stands beside them, and is not changed.

interface Deed {
  readonly keys: readonly string[];
  /** Words of the language files. */
  readonly what: string;
}

/** By mouse, finger or stick: the words for the move, and for what it does. */
interface Move {
  readonly moves: readonly string[];
  readonly what: string;
  readonly before?: string;
}

interface Group {
  readonly title?: string;
  readonly rows: readonly (Deed | Move)[];
}

const DIGITS = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"] as const;
const TAKE = { keys: ["P"], what: "shown:take" } as const;
const SECOND = { keys: ["W"], what: "reading:second.open" } as const;
const TRACE = { keys: ["t"], what: "reading:trace" } as const;
const CASE = { keys: ["F8", "F9"], what: "reading:keys.case" } as const;
const BACK = { keys: ["q"], what: "reading:keys.back" } as const;
const HELP = { keys: ["?"], what: "reading:keys.help" } as const;

/** The rooms, and their tables, in the order in which they are told. */
export const KEY_TABLE = {
  worklist: [
    {
      rows: [
        { keys: ["ArrowUp", "ArrowDown"], what: "worklist:keys.move" },
        { keys: ["PageUp", "PageDown"], what: "worklist:keys.jump" },
        { keys: ["Home", "End"], what: "worklist:keys.ends" },
        { keys: ["Enter"], what: "worklist:keys.open" },
        { keys: ["/"], what: "worklist:keys.search" },
        { moves: ["common:keysEscape"], what: "worklist:keys.leave" },
        HELP,
      ],
    },
  ],
  images: [
    {
      title: "reading:keys.mouse",
      rows: [
        { moves: ["reading:keys.wheel"], what: "reading:keys.step" },
        { moves: ["reading:keys.left"], what: "reading:keys.primary" },
        { moves: ["reading:keys.right"], what: "reading:tool.zoom" },
        { moves: ["reading:keys.middle"], what: "reading:tool.pan" },
        { moves: ["reading:keys.oneFinger"], before: "reading:keys.touch", what: "reading:keys.primary" },
        { moves: ["reading:keys.twoFingers"], what: "reading:keys.zoomPan" },
      ],
    },
    {
      title: "reading:keys.keyboard",
      rows: [
        { keys: ["ArrowUp", "ArrowDown"], what: "reading:keys.step" },
        { keys: ["PageUp", "PageDown"], what: "reading:keys.jump" },
        { keys: ["Home", "End"], what: "reading:keys.ends" },
        { keys: ["ArrowLeft", "ArrowRight"], what: "reading:keys.series" },
        { keys: ["Shift+ArrowLeft", "Shift+ArrowRight"], what: "reading:keys.pane" },
        { keys: ["w", "Escape"], what: "reading:tool.windowLevel" },
        { keys: ["s"], what: "reading:tool.scroll" },
        { keys: ["p"], what: "reading:tool.pan" },
        { keys: ["z"], what: "reading:tool.zoom" },
        { keys: ["+", "-"], what: "reading:keys.nearer" },
        { keys: ["m"], what: "reading:tool.magnify" },
        { keys: ["l"], what: "reading:tool.length" },
        { keys: ["b"], what: "reading:tool.bidirectional" },
        { keys: ["h"], what: "reading:tool.probe" },
        { keys: ["e"], what: "reading:tool.ellipse" },
        { keys: ["x"], what: "reading:tool.rectangle" },
        { keys: ["v"], what: "reading:tool.freehand" },
        { keys: ["a"], what: "reading:tool.angle" },
        { keys: ["g"], what: "reading:tool.cobb" },
        { keys: ["n"], what: "reading:tool.arrow" },
        { keys: ["Delete", "Backspace"], what: "reading:keys.delete" },
        { keys: ["Shift+Delete"], what: "reading:clearMarks" },
        { keys: [","], what: "findings:keys.panel" },
        { keys: ["k"], what: "findings:keys.choose" },
        { keys: ["Ctrl+s"], what: "findings:keys.save" },
        { keys: DIGITS, what: "reading:keys.presets" },
        { keys: [";"], what: "reading:nextWindow" },
        { keys: ["i"], what: "reading:invert" },
        { keys: ["f"], what: "reading:fit" },
        { keys: ["o"], what: "reading:oneToOne" },
        { keys: ["Z"], what: "reading:trueSize" },
        { keys: ["[", "]"], what: "reading:turn" },
        { keys: ["j"], what: "reading:flip" },
        { keys: ["u"], what: "reading:flipVertical" },
        { keys: ["r"], what: "reading:reset" },
        { keys: ["c"], what: "reading:play" },
        { keys: ["<", ">"], what: "reading:keys.rate" },
        { keys: ["d"], what: "reading:layout.title" },
        { keys: ["D"], what: "reading:hanging.next" },
        { keys: ["y"], what: "reading:layout.link" },
        { keys: ["O"], what: "volumes:layersAll" },
        { keys: ["."], what: "volumes:point" },
        { keys: ["M"], what: "volumes:mpr" },
        { keys: ["T"], what: "header:title" },
        TAKE,
        SECOND,
        TRACE,
        CASE,
        BACK,
        HELP,
      ],
    },
  ],
  volumes: [
    {
      rows: [
        { keys: ["ArrowUp", "ArrowDown"], what: "reading:keys.step" },
        { keys: ["PageUp", "PageDown"], what: "reading:keys.jump" },
        { moves: ["common:keysTab"], what: "volumes:nextPlane" },
        { keys: ["x", "Escape"], what: "volumes:tool.crosshair" },
        { keys: ["[", "]"], what: "volumes:turn" },
        { keys: [",", "."], what: "volumes:thicker" },
        { keys: ["/"], what: "volumes:nextMode" },
        { keys: ["w"], what: "reading:tool.windowLevel" },
        { keys: ["p"], what: "reading:tool.pan" },
        { keys: ["z"], what: "reading:tool.zoom" },
        { keys: ["+", "-"], what: "reading:keys.nearer" },
        { keys: DIGITS, what: "reading:keys.presets" },
        { keys: [";"], what: "reading:nextWindow" },
        { keys: ["i"], what: "reading:invert" },
        { keys: ["f"], what: "reading:fit" },
        { keys: ["r"], what: "reading:reset" },
        TAKE,
        { keys: ["M"], what: "volumes:leave" },
        SECOND,
        TRACE,
        CASE,
        BACK,
        HELP,
      ],
    },
  ],
  slides: [
    {
      title: "reading:keys.mouse",
      rows: [
        { moves: ["reading:keys.wheel"], what: "reading:tool.zoom" },
        { moves: ["reading:keys.left"], what: "reading:tool.pan" },
        { moves: ["slides:keys.doubleClick"], what: "slides:keys.nearer" },
        { moves: ["reading:keys.oneFinger"], before: "reading:keys.touch", what: "reading:tool.pan" },
        { moves: ["reading:keys.twoFingers"], what: "reading:keys.zoomPan" },
      ],
    },
    {
      title: "reading:keys.keyboard",
      rows: [
        { keys: ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"], what: "reading:tool.pan" },
        { keys: ["n", "N"], what: "slides:keys.fields" },
        { keys: ["+", "=", "-"], what: "reading:tool.zoom" },
        { keys: ["1", "2", "3", "4", "5", "6"], what: "slides:keys.objectives" },
        { keys: ["0"], what: "slides:oneToOne" },
        { keys: ["f", "Home"], what: "slides:home" },
        { keys: ["r", "R"], what: "slides:keys.rotate" },
        { keys: ["m"], what: "slides:mirror" },
        { keys: ["PageUp", "PageDown"], what: "slides:focus" },
        { keys: ["o"], what: "slides:opticalPath" },
        { keys: ["p"], what: "slides:profile" },
        { keys: ["g", "Escape"], what: "slides:tool.pan" },
        { keys: ["l"], what: "slides:tool.line" },
        { keys: ["a"], what: "slides:tool.polygon" },
        { keys: ["e"], what: "slides:tool.freehand" },
        { keys: ["Enter"], what: "slides:keys.close" },
        { keys: ["c"], what: "slides:tool.point" },
        { keys: ["x"], what: "slides:tool.text" },
        { keys: ["Delete", "Backspace"], what: "slides:removeMark" },
        { keys: ["k"], what: "slides:marks" },
        { keys: ["Ctrl+s"], what: "slides:saveMarks" },
        { keys: ["b"], what: "slides:bulk.title" },
        { keys: ["s"], what: "slides:segments.title" },
        { keys: ["O"], what: "slides:segments.all" },
        { keys: ["y"], what: "pathology:formTitle" },
        { keys: ["i"], what: "slides:label.title" },
        { keys: ["v"], what: "slides:beside" },
        { keys: ["j"], what: "slides:linked" },
        { keys: ["[", "]"], what: "slides:keys.slides" },
        { keys: ["T"], what: "header:title" },
        TAKE,
        SECOND,
        TRACE,
        CASE,
        BACK,
        HELP,
      ],
    },
    {
      title: "slides:pad.title",
      rows: [
        { moves: ["slides:pad.sticks"], what: "slides:pad.pan" },
        { moves: ["slides:pad.triggers"], what: "reading:tool.zoom" },
        { keys: ["Pad A"], what: "slides:pad.mark" },
        { keys: ["Pad X"], what: "slides:removeMark" },
        { keys: ["Pad B"], what: "slides:marks" },
        { keys: ["Pad Y"], what: "slides:home" },
        { keys: ["Pad LB", "Pad RB"], what: "slides:keys.slides" },
        { keys: ["Pad ↓", "Pad ↑"], what: "slides:keys.objectives" },
        { keys: ["Pad ←", "Pad →"], what: "slides:keys.fields" },
      ],
    },
  ],
  review: [
    {
      rows: [
        { keys: ["j", "k"], what: "review:keys.instance" },
        { keys: ["PageDown", "PageUp"], what: "review:keys.frame" },
        { keys: ["n"], what: "review:keys.add" },
        { keys: ["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"], what: "review:keys.move" },
        {
          keys: ["Shift+ArrowUp", "Shift+ArrowDown", "Shift+ArrowLeft", "Shift+ArrowRight"],
          what: "review:keys.size",
        },
        {
          keys: ["Ctrl+ArrowUp", "Ctrl+ArrowDown", "Ctrl+ArrowLeft", "Ctrl+ArrowRight"],
          what: "review:keys.sizeFrom",
        },
        { keys: ["Delete", "Backspace"], what: "review:keys.remove" },
        { keys: ["b"], what: "review:keys.brighter" },
        { keys: [",", "."], what: "review:keys.level" },
        { keys: ["[", "]"], what: "review:keys.width" },
        { keys: ["0"], what: "review:keys.plain" },
        { keys: ["z"], what: "review:keys.fullSize" },
        HELP,
      ],
    },
  ],
} as const satisfies Readonly<Record<string, readonly Group[]>>;

export type KeyRoom = keyof typeof KEY_TABLE;

export const KEY_ROOMS = Object.keys(KEY_TABLE) as readonly KeyRoom[];

/** The keys of a room as they are until somebody changes one. */
export function keysOf(room: KeyRoom): readonly string[] {
  const groups: readonly Group[] = KEY_TABLE[room];
  return groups.flatMap(({ rows }) => rows.flatMap((row) => ("keys" in row ? row.keys : [])));
}
