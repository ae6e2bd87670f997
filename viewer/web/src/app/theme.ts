// The UI kit's defaults. Its colours are in tokens.css: the kit would write them into <style> elements, which the
// Content-Security-Policy may forbid.

import { ActionIcon, createTheme, Modal, Tooltip } from "@mantine/core";

export const theme = createTheme({
  cursorType: "pointer",
  respectReducedMotion: true,
  components: {
    ActionIcon: ActionIcon.extend({ defaultProps: { color: "gray" } }),
    Modal: Modal.extend({ defaultProps: { centered: true } }),
    Tooltip: Tooltip.extend({ defaultProps: { openDelay: 500, withinPortal: true } }),
  },
});
