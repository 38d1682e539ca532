# uncork_isa(sources): a kernel file's last word names its instruction set; only such files get the
# flags, so no other translation unit can hold an instruction the machine may lack. Kernels are -O3 in
# every build: their loops are written for the vectoriser, and at -Og tests of them would crawl.
function(uncork_isa)
  foreach(source ${ARGN})
    if(source MATCHES "_avx2\\.c$")
      set(flags -mavx2 -mfma -mf16c)
    elseif(source MATCHES "_avx512\\.c$")
      set(flags -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx2 -mfma -mf16c)
    elseif(source MATCHES "_vnni\\.c$")
      set(flags -mavx512f -mavx512bw -mavx512vl -mavx512vnni)
    elseif(source MATCHES "_bf16\\.c$")
      set(flags -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512bf16)
    elseif(source MATCHES "_amx\\.c$")
      set(flags -mamx-tile -mamx-int8 -mamx-bf16)
    else()
      set(flags "")
    endif()
    # Clang's undefined-behaviour checks on unrolled vector code take minutes to compile; the same loops'
    # scalar rows are checked, and tests hold every row to the scalar one.
    if(flags AND UNCORK_SANITIZE MATCHES "undefined")
      list(APPEND flags -fno-sanitize=undefined)
    endif()
    if(source MATCHES "/src/(kernel|image)/") # loops: let the compiler make vectors of them
      list(APPEND flags $<$<CONFIG:Release>:-O3>)
    endif()
    if(NOT flags)
      continue()
    endif()
    list(APPEND flags -O3)
    set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS "${flags}")
  endforeach()
endfunction()
