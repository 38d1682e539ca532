# make install: the command, both libraries, the header, pkg-config and CMake package files.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS uncork_shared uncork_static EXPORT uncork_targets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS uncork_command RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES include/uncork.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES LICENSE NOTICE DESTINATION ${CMAKE_INSTALL_DOCDIR})

configure_file(cmake/uncork.pc.in ${CMAKE_BINARY_DIR}/uncork.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/uncork.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

configure_package_config_file(cmake/uncorkConfig.cmake.in ${CMAKE_BINARY_DIR}/uncorkConfig.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/uncork)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/uncorkConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/uncorkConfig.cmake ${CMAKE_BINARY_DIR}/uncorkConfigVersion.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/uncork)
