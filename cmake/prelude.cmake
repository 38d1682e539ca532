# The modules of torch.nn in Python's words (src/import/pytorch/prelude), compiled in as bytes.
set(UNCORK_PRELUDE_DATA "")
set(UNCORK_PRELUDE_ROWS "")
set(UNCORK_PRELUDE_COUNT 0)
foreach(pair nn=torch.nn functional=torch.nn.functional ops=torchvision.ops einops=einops)
  string(REPLACE "=" ";" parts ${pair})
  list(GET parts 0 stem)
  list(GET parts 1 module)
  set(file ${CMAKE_SOURCE_DIR}/src/import/pytorch/prelude/${stem}.py)
  if(NOT EXISTS ${file})
    continue()
  endif()
  uncork_embed(${file} bytes)
  string(APPEND UNCORK_PRELUDE_DATA "static const unsigned char ${stem}[] = {\n${bytes}};\n")
  string(APPEND UNCORK_PRELUDE_ROWS "    {\"${module}\", ${stem}, sizeof ${stem}},\n")
  math(EXPR UNCORK_PRELUDE_COUNT "${UNCORK_PRELUDE_COUNT} + 1")
endforeach()
file(CONFIGURE OUTPUT prelude_data.c @ONLY CONTENT [[
#include "import/pytorch/script_prelude.h"

@UNCORK_PRELUDE_DATA@
const uc_py_prelude *uc_py_preludes(size_t *count)
{
    static const uc_py_prelude files[] = {
@UNCORK_PRELUDE_ROWS@    };
    *count = @UNCORK_PRELUDE_COUNT@;
    return files;
}
]])
unset(bytes)
set(UNCORK_PRELUDE_SOURCE ${CMAKE_BINARY_DIR}/prelude_data.c)
