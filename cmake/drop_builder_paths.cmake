# For the pip build only, passed as CMAKE_PROJECT_INCLUDE: runs at the end of each project.
#
# rosidl exports its *__rosidl_generator_py targets with the include folders of the Python that built them, as absolute
# paths. Those of the ROS 2 wheels are of the machine that built the wheels (under /opt/python), and CMake refuses to use
# a target with a folder that does not exist. Ours would be of this machine, and CMake refuses to export a folder inside
# the source tree, where .venv is. Nobody needs them: whoever compiles against Python finds its headers with find_package.
function(_i2t_drop_builder_paths)
  get_property(targets DIRECTORY PROPERTY IMPORTED_TARGETS)
  list(APPEND targets ${PROJECT_NAME}__rosidl_generator_py)
  foreach(target IN LISTS targets)
    if(NOT target MATCHES "__rosidl_generator_py$" OR NOT TARGET ${target})
      continue()
    endif()
    get_target_property(folders ${target} INTERFACE_INCLUDE_DIRECTORIES)
    if(folders)
      # What is left are generator expressions ($<INSTALL_INTERFACE:...>), which move with the package.
      list(FILTER folders EXCLUDE REGEX "^/")
      set_target_properties(${target} PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${folders}")
    endif()
  endforeach()
endfunction()
cmake_language(DEFER CALL _i2t_drop_builder_paths)
