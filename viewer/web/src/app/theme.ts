// The UI kit's defaults. Its colours are in tokens.css: the kit would write them into <style> elements, which the
// Content-Security-Policy may forbid.

import { ActionIcon, createTheme, Drawer, Menu, Modal, Tooltip } from "@mantine/core";

export const theme = createTheme({
  cursorType: "pointer",
  respectReducedMotion: true,
  components: {
    ActionIcon: ActionIcon.extend({ defaultProps: { color: "gray" } }),
    // Locking the page's scroll would write a <style>; the page behind does not scroll anyway.
    Drawer: Drawer.extend({ defaultProps: { lockScroll: false } }),
    // The placeholder can be reached by the keyboard, and is no row of the menu.
    Menu: Menu.extend({ defaultProps: { withInitialFocusPlaceholder: false, transitionProps: { duration: 0 } } }),
    Modal: Modal.extend({ defaultProps: { centered: true, lockScroll: false } }),
    Tooltip: Tooltip.extend({ defaultProps: { openDelay: 500, withinPortal: true } }),
  },
});
