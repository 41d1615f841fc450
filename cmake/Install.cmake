# cmake --install: the program, the libraries with their headers, and a package for find_package(retort).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/retort)
set(libraries retort_kernels retort_engine retort_nets retort_data retort_distill)
foreach(library IN LISTS libraries)
  string(REPLACE retort_ "" name ${library})
  set_target_properties(${library} PROPERTIES EXPORT_NAME ${name})
endforeach()
install(TARGETS ${libraries} EXPORT retort-targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS retort RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
# Headers include one another as in the source: "engine/tensor.h".
foreach(folder kernels engine nets data distill)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/${folder} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/retort
          FILES_MATCHING PATTERN *.h PATTERN cpu EXCLUDE PATTERN cuda EXCLUDE)
endforeach()
install(EXPORT retort-targets NAMESPACE retort:: DESTINATION ${package})
configure_package_config_file(cmake/retort-config.cmake.in retort-config.cmake INSTALL_DESTINATION ${package})
write_basic_package_version_file(retort-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/retort-config.cmake ${PROJECT_BINARY_DIR}/retort-config-version.cmake DESTINATION ${package})
