// Where a window is put so that it is on another screen.

const SHARE_OF_SCREEN = 0.9;

interface Screen {
  readonly availLeft: number;
  readonly availTop: number;
  readonly availWidth: number;
  readonly availHeight: number;
}

/** Window Management API, which not every browser has, and a person may refuse. */
interface ManagedWindow {
  readonly getScreenDetails?: () => Promise<{ readonly screens: readonly Screen[]; readonly currentScreen: Screen }>;
}

/** Features of `window.open`: all of another screen where the browser tells of one, else a large window. */
export async function placeOnOtherScreen(): Promise<string> {
  try {
    const details = await (window as ManagedWindow).getScreenDetails?.();
    const other = details?.screens.find((one) => one !== details.currentScreen);
    if (other) {
      const { availLeft: left, availTop: top, availWidth: width, availHeight: height } = other;
      return `popup,left=${left},top=${top},width=${width},height=${height}`;
    }
  } catch {
    // Refused: the window is moved by hand.
  }
  const of = (length: number) => Math.round(length * SHARE_OF_SCREEN);
  return `popup,width=${of(screen.availWidth)},height=${of(screen.availHeight)}`;
}
