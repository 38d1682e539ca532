# Captions on pictures: FreeType and the font, compiled in. -DUNCORK_TEXT=OFF draws without letters.
option(UNCORK_TEXT "Write captions on drawn pictures (libfreetype-dev)" ON)
if(UNCORK_TEXT)
  pkg_check_modules(FREETYPE IMPORTED_TARGET freetype2)
  if(NOT FREETYPE_FOUND)
    message(FATAL_ERROR "libfreetype-dev isn't there (pkg-config freetype2): install it, or draw without captions with -DUNCORK_TEXT=OFF")
  endif()
  set(font ${CMAKE_SOURCE_DIR}/src/image/captions.ttf)
  uncork_embed(${font} bytes)
  file(CONFIGURE OUTPUT font_data.c @ONLY CONTENT [[
#include "image/font_data.h"

const unsigned char uc_font_data[] = {
@bytes@};
const size_t uc_font_data_size = sizeof uc_font_data;
]])
  unset(bytes)
  list(APPEND UNCORK_PICTURE_LIBS PkgConfig::FREETYPE)
  list(APPEND UNCORK_PICTURE_FILES_OUT font_none.c)
  string(APPEND UNCORK_PICTURE_LINK " -lfreetype")
  set(UNCORK_FONT_SOURCE ${CMAKE_BINARY_DIR}/font_data.c)
else()
  list(APPEND UNCORK_PICTURE_FILES_OUT font.c)
  set(UNCORK_FONT_SOURCE)
endif()
