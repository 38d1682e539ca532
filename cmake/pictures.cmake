# Picture formats whose library a build may go without: -DUNCORK_TIFF=OFF and the like. What is left
# out is named by `uncork formats` and by the message such a picture gets.
set(UNCORK_PICTURE_LIBS)      # targets to link
set(UNCORK_PICTURE_FILES_OUT) # sources that have no library
set(UNCORK_PICTURE_FLAGS)     # definitions
set(UNCORK_PICTURE_LINK)      # for uncork.pc

# uncork_picture(WEBP webp.c libwebp-dev "-lwebp" module ...): the source may be a regular expression, the
# modules are pkg-config's
macro(uncork_picture format source package link)
  option(UNCORK_${format} "Read ${format} pictures (${package})" ON)
  if(UNCORK_${format})
    pkg_check_modules(PICTURE_${format} IMPORTED_TARGET ${ARGN})
    if(NOT PICTURE_${format}_FOUND)
      message(FATAL_ERROR "${package} isn't there (pkg-config ${ARGN}): install it, or leave the format out with -DUNCORK_${format}=OFF")
    endif()
    list(APPEND UNCORK_PICTURE_LIBS PkgConfig::PICTURE_${format})
    list(APPEND UNCORK_PICTURE_FLAGS UC_WITH_${format})
    string(APPEND UNCORK_PICTURE_LINK " ${link}")
  else()
    list(APPEND UNCORK_PICTURE_FILES_OUT ${source})
  endif()
endmacro()

uncork_picture(WEBP webp.c libwebp-dev "-lwebpdemux -lwebp" libwebp libwebpdemux)
# 4.5 brought the handlers of one file: before, a library's warnings can only be silenced for all of a process
uncork_picture(TIFF "(tiff|tiff_file|decode_opencv_tiff).c" libtiff-dev "-ltiff" libtiff-4>=4.5.0)
uncork_picture(GIF gif.c libgif-dev "-lgif" libgif)
uncork_picture(JPEG2000 jpeg2000.c libopenjp2-7-dev "-lopenjp2" libopenjp2)
