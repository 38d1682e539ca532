# The architectures of keras.applications (src/import/keras/apps.json.xz), compiled in as bytes.
set(apps ${CMAKE_SOURCE_DIR}/src/import/keras/apps.json.xz)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${apps})
file(READ ${apps} bytes HEX)
string(REGEX REPLACE "(................................)" "\\1\n" bytes "${bytes}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
file(CONFIGURE OUTPUT apps_data.c @ONLY CONTENT [[
#include "import/keras/keras_apps.h"

const unsigned char uc_k_apps_data[] = {
@bytes@};
const size_t uc_k_apps_size = sizeof uc_k_apps_data;
]])
unset(bytes)
set(UNCORK_APPS_SOURCE ${CMAKE_BINARY_DIR}/apps_data.c)
