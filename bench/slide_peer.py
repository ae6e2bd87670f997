"""The peer of the bench of slides: FastAPI over OpenSlide's DeepZoom and Pillow, as its own documentation does it.

python -m bench.slide_peer FILE TILE_SIDE PORT
"""

import io
import sys

import openslide
import uvicorn
from fastapi import FastAPI
from openslide.deepzoom import DeepZoomGenerator
from starlette.responses import Response


def app_of(path: str, tile: int) -> FastAPI:
    """Return the application; a plain function a request, which the framework runs in threads."""
    app = FastAPI()
    pyramid = DeepZoomGenerator(openslide.OpenSlide(path), tile, 0)

    @app.get("/tiles/{level}/{column}_{row}.jpg")
    def tile_of(level: int, column: int, row: int) -> Response:
        out = io.BytesIO()
        pyramid.get_tile(pyramid.level_count - 1 - level, (column, row)).save(out, "JPEG", quality=75)
        return Response(out.getvalue(), media_type="image/jpeg")

    @app.get("/")
    def ready() -> str:
        return "ready"

    return app


if __name__ == "__main__":
    uvicorn.run(app_of(sys.argv[1], int(sys.argv[2])), port=int(sys.argv[3]), log_level="error", access_log=False)
